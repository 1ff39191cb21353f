"""The database of sessions."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, delete, event, insert, or_, select, text, update
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from utils.errors import DatabaseError
from utils.media.rows import COLUMNS, columns, rows
from utils.media.sessions.tables import MarkerRow, PointRow, SessionRow, now
from utils.results import FrameResult

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK_SECONDS = 3
_NUMBER = "<f4"
# What a point has in common with a row of ``utils.media.rows``.
_SAME = [name for name in COLUMNS if name not in ("image", "model")]


@dataclass(frozen=True)
class SessionInfo:
    """What is known of a session without its points.

    Attributes:
        id: Its number in the database.
        name: What people call it.
        note: What they wrote about it.
        kind: ``live`` or ``video``.
        model: Name of the model that answered.
        classes: The model's classes.
        started: When it began, in UTC.
        seconds: How long it is.
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
    """A named moment of a session; ``time`` in seconds from its beginning."""

    id: int
    time: float
    words: str


class SessionStore:
    """Keeps sessions; every method is one short transaction. Safe to share between threads.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. Missing folders and tables are made,
            older tables are brought to the newest form.

    Raises:
        DatabaseError: The database can't be reached or used.
    """

    def __init__(self, url: str) -> None:
        with _explained():
            self._engine = _connect(url)
            self._migrate()

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def create(self, name: str, kind: str, model: str, classes: Sequence[str]) -> int:
        """Begin a session and return its number.

        Raises:
            DatabaseError: It can't be written.
        """
        values = {
            "name": name[:200],
            "note": "",
            "kind": kind,
            "model": model,
            "classes": list(classes),
            "started": now(),
            "seconds": 0.0,
        }
        with self._transaction() as connection:
            query = insert(SessionRow).values(values).returning(SessionRow.id)
            return connection.execute(query).scalar_one()

    def append(self, session_id: int, results: Iterable[FrameResult]) -> None:
        """Add analysed frames; all of them or, if that fails, none.

        Raises:
            DatabaseError: They can't be written, or the session was deleted.
        """
        points = [_point(session_id, row) for result in results for row in rows(result)]
        if not points:
            return
        last = max(point["time"] for point in points)
        with self._transaction() as connection:
            known = connection.execute(
                update(SessionRow).where(SessionRow.id == session_id).values(seconds=last)
            )
            if not known.rowcount:
                raise DatabaseError("The session was deleted; the recording has ended.")
            connection.execute(insert(PointRow), points)

    def sessions(self, search: str = "") -> list[SessionInfo]:
        """Return the sessions whose name or note holds a text, the newest first.

        Raises:
            DatabaseError: They can't be read.
        """
        query = select(SessionRow.__table__).order_by(SessionRow.started.desc())
        if search:
            query = query.where(
                or_(
                    SessionRow.name.icontains(search, autoescape=True),
                    SessionRow.note.icontains(search, autoescape=True),
                )
            )
        with self._transaction() as connection:
            return [
                SessionInfo(**{**row, "classes": tuple(row["classes"])})
                for row in connection.execute(query).mappings()
            ]

    def change(self, session_id: int, name: str | None = None, note: str | None = None) -> None:
        """Give a session another name or note.

        Raises:
            DatabaseError: It can't be written.
        """
        values = {"name": name and name[:200], "note": note}
        values = {key: value for key, value in values.items() if value is not None}
        if values:
            with self._transaction() as connection:
                connection.execute(
                    update(SessionRow).where(SessionRow.id == session_id).values(**values)
                )

    def mark(self, session_id: int, time: float, words: str) -> None:
        """Name a moment of a session.

        Args:
            session_id: Which.
            time: Seconds from its beginning.
            words: The name.

        Raises:
            DatabaseError: It can't be written.
        """
        values = {"session_id": session_id, "time": time, "words": words[:200]}
        with self._transaction() as connection:
            connection.execute(insert(MarkerRow).values(values))

    def markers(self, session_id: int) -> list[Marker]:
        """Return a session's markers by time.

        Raises:
            DatabaseError: They can't be read.
        """
        query = select(MarkerRow.id, MarkerRow.time, MarkerRow.words).order_by(MarkerRow.time)
        with self._transaction() as connection:
            found = connection.execute(query.where(MarkerRow.session_id == session_id))
            return [Marker(*row) for row in found]

    def table(self, session: SessionInfo) -> pd.DataFrame:
        """Return all of a session's points as a table with the columns of ``utils.media.rows``.

        Raises:
            DatabaseError: They can't be read.
        """
        names = [*_SAME, "shown", "raw"]
        query = select(*(getattr(PointRow, name) for name in names))
        query = query.where(PointRow.session_id == session.id).order_by(PointRow.time, PointRow.id)
        with self._transaction() as connection:
            found = connection.execute(query).all()
        table = pd.DataFrame(found, columns=names).assign(image=session.name, model=session.model)
        for kind, column in (("p", "shown"), ("raw", "raw")):
            values = _unpacked(table.pop(column), len(session.classes))
            spread = pd.DataFrame(values, columns=[f"{kind}_{name}" for name in session.classes])
            table = pd.concat([table, spread], axis=1)
        return table[list(columns(session.classes))]

    def delete(self, session_ids: Sequence[int]) -> None:
        """Delete sessions with all their points and markers, for good.

        Raises:
            DatabaseError: They can't be deleted.
        """
        with self._transaction() as connection:
            for table, column in (
                (PointRow, PointRow.session_id),
                (MarkerRow, MarkerRow.session_id),
                (SessionRow, SessionRow.id),
            ):
                connection.execute(delete(table).where(column.in_(session_ids)))
        self._shrink()

    def delete_all(self) -> None:
        """Delete every session, for good.

        Raises:
            DatabaseError: They can't be deleted.
        """
        self.delete([session.id for session in self.sessions()])

    def delete_older(self, days: float) -> int:
        """Delete the sessions that began more than so many days ago; return how many.

        Raises:
            DatabaseError: They can't be deleted.
        """
        query = select(SessionRow.id).where(SessionRow.started < now() - timedelta(days=days))
        with self._transaction() as connection:
            old = list(connection.execute(query).scalars())
        if old:
            self.delete(old)
        return len(old)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _explained(), self._engine.begin() as connection:
            yield connection

    def _shrink(self) -> None:
        if self._engine.dialect.name == "sqlite":
            # Deleted rows would stay readable in the file until others take their place.
            with _explained(), self._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text("VACUUM"))
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _connect(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": _LOCK_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        for setting in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {setting}")

    return engine


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError, ModuleNotFoundError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise DatabaseError(f"The database of sessions can't be used: {reason}") from error


def _point(session_id: int, row: dict[str, Any]) -> dict[str, Any]:
    point = {name: row.get(name) for name in _SAME} | {"session_id": session_id}
    for kind, column in (("p", "shown"), ("raw", "raw")):
        values = [value for name, value in row.items() if name.startswith(f"{kind}_")]
        point[column] = np.array(values, _NUMBER).tobytes() if values else None
    return point


def _unpacked(packed: "pd.Series[Any]", count: int) -> np.ndarray:
    """Return float ``(N, count)``; NaN where there are no probabilities."""
    nothing = np.full(count, np.nan, _NUMBER).tobytes()
    joined = b"".join(nothing if value is None else bytes(value) for value in packed)
    return np.frombuffer(joined, _NUMBER).reshape(-1, count).astype(float)
