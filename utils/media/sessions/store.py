"""The store of sessions: recordings in a database, SQLite or PostgreSQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import delete, insert, or_, select, update

from utils.errors import DatabaseError
from utils.media.sessions.database import Database
from utils.media.sessions.points import POINT_COLUMNS, pack_point, points_table
from utils.media.sessions.tables import MarkerRow, PointRow, SessionRow, now
from utils.media.tables.rows import rows
from utils.results import FrameResult

MAX_NAME = 200  # characters, as the columns hold


@dataclass(frozen=True)
class SessionInfo:
    """A session without its points.

    Attributes:
        id: Its number in the database.
        name: What users call it.
        note: What users wrote about it.
        kind: ``live`` or ``video``.
        model: Name of the model that made the predictions.
        classes: The model's classes.
        started: When it began, in UTC.
        seconds: Its length.
    """

    id: int
    name: str
    note: str
    kind: str
    model: str
    classes: tuple[str, ...]
    started: datetime
    seconds: float


@dataclass(frozen=True)
class Marker:
    """A labelled moment of a session.

    Attributes:
        id: Its number in the database.
        time: Seconds from the beginning of the session.
        label: What users call it.
    """

    id: int
    time: float
    label: str


class SessionStore:
    """Stores sessions; each method is one short transaction. Safe to share between threads.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. Missing folders and tables are
            created, older tables are migrated.

    Raises:
        DatabaseError: The database can't be reached or used.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def create(self, name: str, kind: str, *, model: str, classes: Sequence[str]) -> int:
        """Begin a session and return its number.

        Args:
            name: What users call it; cut to ``MAX_NAME`` characters.
            kind: ``live`` or ``video``.
            model: Name of the model that makes the predictions.
            classes: The model's classes.

        Raises:
            DatabaseError: The session can't be written.
        """
        values = {
            "name": name[:MAX_NAME],
            "note": "",
            "kind": kind,
            "model": model,
            "classes": list(classes),
            "started": now(),
            "seconds": 0.0,
        }
        with self._database.transaction() as connection:
            query = insert(SessionRow).values(values).returning(SessionRow.id)
            return connection.execute(query).scalar_one()

    def append(self, session_id: int, results: Iterable[FrameResult]) -> None:
        """Add analysed frames; either all of them or, on an error, none.

        Raises:
            DatabaseError: The frames can't be written, or the session was deleted.
        """
        points = [pack_point(session_id, row) for result in results for row in rows(result)]
        if not points:
            return
        last = max(point["time"] for point in points)
        with self._database.transaction() as connection:
            updated = connection.execute(
                update(SessionRow).where(SessionRow.id == session_id).values(seconds=last)
            )
            if not updated.rowcount:
                raise DatabaseError("The session was deleted, so the recording has ended.")
            connection.execute(insert(PointRow), points)

    def sessions(self, search: str = "") -> list[SessionInfo]:
        """Return the sessions whose name or note contains a text, newest first.

        Raises:
            DatabaseError: The sessions can't be read.
        """
        query = select(SessionRow.__table__).order_by(SessionRow.started.desc())
        if search:
            query = query.where(
                or_(
                    SessionRow.name.icontains(search, autoescape=True),
                    SessionRow.note.icontains(search, autoescape=True),
                )
            )
        with self._database.transaction() as connection:
            return [
                SessionInfo(**{**row, "classes": tuple(row["classes"])})
                for row in connection.execute(query).mappings()
            ]

    def edit(self, session_id: int, *, name: str | None = None, note: str | None = None) -> None:
        """Change a session's name or note; None leaves it as it is.

        Raises:
            DatabaseError: The session can't be written.
        """
        values = {"name": name and name[:MAX_NAME], "note": note}
        values = {key: value for key, value in values.items() if value is not None}
        if values:
            with self._database.transaction() as connection:
                connection.execute(
                    update(SessionRow).where(SessionRow.id == session_id).values(**values)
                )

    def mark(self, session_id: int, time: float, *, label: str) -> None:
        """Label a moment of a session.

        Args:
            session_id: The session.
            time: Seconds from its beginning.
            label: Cut to ``MAX_NAME`` characters.

        Raises:
            DatabaseError: The marker can't be written.
        """
        values = {"session_id": session_id, "time": time, "label": label[:MAX_NAME]}
        with self._database.transaction() as connection:
            connection.execute(insert(MarkerRow).values(values))

    def markers(self, session_id: int) -> list[Marker]:
        """Return a session's markers, ordered by time.

        Raises:
            DatabaseError: The markers can't be read.
        """
        query = (
            select(MarkerRow.id, MarkerRow.time, MarkerRow.label)
            .where(MarkerRow.session_id == session_id)
            .order_by(MarkerRow.time)
        )
        with self._database.transaction() as connection:
            return [Marker(*row) for row in connection.execute(query)]

    def table(self, session: SessionInfo) -> pd.DataFrame:
        """Return a session's points as a table with the columns of ``utils.media.tables.rows``.

        Raises:
            DatabaseError: The points can't be read.
        """
        query = (
            select(*(getattr(PointRow, name) for name in POINT_COLUMNS))
            .where(PointRow.session_id == session.id)
            .order_by(PointRow.time, PointRow.id)
        )
        with self._database.transaction() as connection:
            points = connection.execute(query).all()
        return points_table(
            points, session.classes, constants={"image": session.name, "model": session.model}
        )

    def delete(self, session_ids: Sequence[int]) -> None:
        """Delete sessions with all their points and markers, permanently.

        Raises:
            DatabaseError: The sessions can't be deleted.
        """
        with self._database.transaction() as connection:
            for table, column in (
                (PointRow, PointRow.session_id),
                (MarkerRow, MarkerRow.session_id),
                (SessionRow, SessionRow.id),
            ):
                connection.execute(delete(table).where(column.in_(session_ids)))
        self._database.shrink()

    def delete_all(self) -> None:
        """Delete every session, permanently.

        Raises:
            DatabaseError: The sessions can't be deleted.
        """
        self.delete([session.id for session in self.sessions()])

    def delete_older(self, days: float) -> int:
        """Delete the sessions that began more than so many days ago; return their number.

        Raises:
            DatabaseError: The sessions can't be deleted.
        """
        query = select(SessionRow.id).where(SessionRow.started < now() - timedelta(days=days))
        with self._database.transaction() as connection:
            old = list(connection.execute(query).scalars())
        if old:
            self.delete(old)
        return len(old)

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()
