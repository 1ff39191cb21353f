"""The store of sessions: recordings in a database, SQLite or PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from utils.media.sessions.database import Database
from utils.media.sessions.deletion import delete_sessions, older_sessions
from utils.media.sessions.info import (
    DamagedSession,
    Marker,
    SessionDeletedError,
    SessionInfo,
    markers_query,
    read_session,
    sessions_query,
    stored_text,
)
from utils.media.sessions.points import pack_point, points_query, points_table
from utils.media.sessions.tables import MarkerRow, PointRow, SessionRow, now
from utils.media.tables.rows import rows
from utils.results import FrameResult
from utils.version import __version__


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

    def create(
        self,
        name: str,
        kind: str,
        *,
        model: str,
        classes: Sequence[str],
        model_revision: str | None = None,
    ) -> int:
        """Begin a session and return its number.

        Args:
            name: What users call it; cut to ``MAX_NAME`` characters.
            kind: ``live`` or ``video``.
            model: Name of the model that makes the predictions.
            classes: The model's classes.
            model_revision: Code revision of the model's training run.

        Raises:
            DatabaseError: The session can't be written.
        """
        values = {
            "name": stored_text(name),
            "note": "",
            "kind": kind,
            "model": model,
            "classes": list(classes),
            "started": now(),
            "seconds": 0.0,
            "version": stored_text(__version__, 50),
            "model_revision": model_revision and stored_text(model_revision, 100),
        }
        with self._database.transaction() as connection:
            query = insert(SessionRow).values(values).returning(SessionRow.id)
            return connection.execute(query).scalar_one()

    def append(
        self,
        session_id: int,
        results: Iterable[FrameResult],
        *,
        markers: Iterable[tuple[float, str]] = (),
    ) -> None:
        """Add analysed frames and markers; either all of them or, on an error, none.

        Args:
            session_id: The session.
            results: The frames.
            markers: Seconds from the session's beginning and label of each.

        Raises:
            SessionDeletedError: The session was deleted.
            DatabaseError: They can't be written.
        """
        points = [pack_point(session_id, row) for result in results for row in rows(result)]
        labels = [
            {"session_id": session_id, "time": time, "words": stored_text(label)}
            for time, label in markers
        ]
        if not points and not labels:
            return
        with self._database.transaction() as connection:
            last = {"seconds": max(point["time"] for point in points)} if points else {}
            _update(connection, session_id, last)
            if points:
                connection.execute(insert(PointRow), points)
            if labels:
                connection.execute(insert(MarkerRow), labels)

    def holds(self, session_id: int, time: float) -> bool:
        """Return whether frames up to a time, in seconds, have been added to a session.

        Raises:
            DatabaseError: The database can't be read.
        """
        query = select(SessionRow.seconds).where(SessionRow.id == session_id)
        with self._database.transaction() as connection:
            seconds = connection.execute(query).scalar_one_or_none()
        return seconds is not None and seconds >= time

    def sessions(self, search: str = "") -> list[SessionInfo]:
        """Return the sessions whose name or note contains a text, newest first.

        Those that can't be read are left out: see :meth:`damaged`.

        Raises:
            DatabaseError: The database can't be read.
        """
        return [found for found in self._read(search) if isinstance(found, SessionInfo)]

    def damaged(self) -> list[DamagedSession]:
        """Return the sessions whose name, classes or times can't be read.

        Raises:
            DatabaseError: The database can't be read.
        """
        return [found for found in self._read() if isinstance(found, DamagedSession)]

    def _read(self, search: str = "") -> list[SessionInfo | DamagedSession]:
        with self._database.transaction() as connection:
            found = connection.execute(sessions_query(search))
            return [read_session(row._asdict()) for row in found]

    def edit(
        self,
        session_id: int,
        *,
        name: str | None = None,
        note: str | None = None,
        names: Mapping[int, str] | None = None,
    ) -> None:
        """Change a session's name, note or the names of its faces; None leaves it as it is.

        Args:
            session_id: The session.
            name: What users call it; cut to ``MAX_NAME`` characters.
            note: What users wrote about it.
            names: What users call its faces, by ``track_id``; replaces all earlier ones.

        Raises:
            SessionDeletedError: The session was deleted.
            DatabaseError: The session can't be written.
        """
        values: dict[str, Any] = {}
        if name:
            values["name"] = stored_text(name)
        if note is not None:
            values["note"] = stored_text(note, length=None)
        if names is not None:
            values["names"] = {str(track): stored_text(text) for track, text in names.items()}
        with self._database.transaction() as connection:
            _update(connection, session_id, values)

    def mark(self, session_id: int, time: float, *, label: str) -> None:
        """Label a moment of a session.

        Args:
            session_id: The session.
            time: Seconds from its beginning.
            label: Cut to ``MAX_NAME`` characters.

        Raises:
            SessionDeletedError: The session was deleted.
            DatabaseError: The marker can't be written.
        """
        self.append(session_id, [], markers=[(time, label)])

    def markers(self, session_id: int) -> list[Marker]:
        """Return a session's markers, ordered by time.

        Raises:
            DatabaseError: The markers can't be read.
        """
        with self._database.transaction() as connection:
            return [Marker(*row) for row in connection.execute(markers_query(session_id))]

    def table(self, session: SessionInfo) -> pd.DataFrame:
        """Return a session's points as a table with the columns of ``utils.media.tables.rows``.

        Raises:
            DatabaseError: The points can't be read, or are damaged.
        """
        with self._database.transaction() as connection:
            points = connection.execute(points_query(session.id)).all()
        constants = {"image": session.name, "model": session.model}
        try:
            return points_table(points, session.classes, constants=constants)
        except ValueError as error:
            raise self._database.damaged(f"Session “{session.name}”", str(error)) from error

    def delete(self, session_ids: Sequence[int]) -> None:
        """Delete sessions with all their points and markers, permanently.

        Raises:
            DatabaseError: The sessions can't be deleted.
        """
        delete_sessions(self._database, session_ids)

    def delete_all(self) -> None:
        """Delete every session, those that can't be read too, permanently.

        Raises:
            DatabaseError: The sessions can't be deleted.
        """
        delete_sessions(self._database, None)

    def delete_older(self, days: float) -> int:
        """Delete the sessions that began more than so many days ago; return their number.

        Raises:
            DatabaseError: The sessions can't be deleted.
        """
        old = older_sessions(self._database, days)
        if old:
            self.delete(old)
        return len(old)

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()


def _update(connection: Connection, session_id: int, values: dict[str, Any]) -> None:
    """Change a session, or only make sure that it exists and stays until the transaction's end."""
    query = update(SessionRow).where(SessionRow.id == session_id)
    if not connection.execute(query.values(values or {"id": session_id})).rowcount:
        raise SessionDeletedError("The session was deleted.")
