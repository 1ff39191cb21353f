"""Deletes sessions with all that belongs to them."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, true

from utils.media.sessions.database import Database
from utils.media.sessions.tables import MarkerRow, PointRow, SessionRow, now


def delete_sessions(database: Database, ids: Sequence[int] | None) -> None:
    """Delete sessions, their points and their markers, and leave nothing readable in the file.

    Args:
        database: Where they are.
        ids: Their numbers; None deletes all, those that can't be read too.

    Raises:
        DatabaseError: They can't be deleted.
    """
    with database.transaction() as connection:
        for table, column in (
            (PointRow, PointRow.session_id),
            (MarkerRow, MarkerRow.session_id),
            (SessionRow, SessionRow.id),
        ):
            chosen: ColumnElement[bool] = true() if ids is None else column.in_(ids)
            connection.execute(delete(table).where(chosen))
    database.shrink()


def older_sessions(database: Database, days: float) -> list[int]:
    """Return the numbers of the sessions that began more than so many days ago.

    Raises:
        DatabaseError: The database can't be read.
    """
    query = select(SessionRow.id).where(SessionRow.started < now() - timedelta(days=days))
    with database.transaction() as connection:
        return list(connection.execute(query).scalars())
