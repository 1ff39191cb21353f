"""The connection to the database of sessions."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from utils.errors import DatabaseError, error_boundary
from utils.media.sessions.address import name_of, parse_address
from utils.media.sessions.migration import is_up_to_date, migrate

_LOCK_SECONDS = 3
_MIGRATION_SECONDS = 60
_CONNECT_SECONDS = 5
# What a driver says, and what can be done about it.
_ADVICE = (
    ("locked", "Another program is writing to it: try again, or end that program."),
    ("lock timeout", "Another program is using it: try again, or end that program."),
    ("full", "Free some space."),
    ("not a database", "Move the file away, or name another in EMOTION_DATABASE_URL."),
    ("malformed", "The file is damaged: restore it from a backup, or move it away."),
    ("Permission denied", "Make the file and its folder writable, or name another."),
    ("readonly", "Make the file and its folder writable, or name another."),
    ("unable to open", "Make the file and its folder writable, or name another."),
    ("already exists", "Other tables have the same names: use a database of its own."),
    ("No module named", "Install this package, or choose another driver."),
    ("connect", "Check that its server runs, and EMOTION_DATABASE_URL."),
)


class Database:
    """A database with up-to-date tables. Safe to share between threads and between programs.

    Args:
        address: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. Missing folders and tables are
            created, older tables are migrated.

    Raises:
        DatabaseError: The database can't be reached or used, or is of a newer version.
    """

    def __init__(self, address: str) -> None:
        url = parse_address(address)
        self.name = name_of(url)
        with self._explained():
            self.engine = _create_engine(url)
            with self.engine.connect() as connection:
                up_to_date = is_up_to_date(connection, self.name)
            if not up_to_date:
                migrator = _create_engine(url, "BEGIN IMMEDIATE", wait=_MIGRATION_SECONDS)
                try:
                    migrate(migrator, self.name, wait=_MIGRATION_SECONDS)
                finally:
                    migrator.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection; commit at the end, roll back on an error.

        Raises:
            DatabaseError: The database can't be reached, read or written.
        """
        with self._explained(), self.engine.begin() as connection:
            yield connection

    def shrink(self) -> None:
        """Remove deleted rows from the file of an SQLite database.

        Raises:
            DatabaseError: The database can't be written.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self._explained():
            connection = self.engine.raw_connection()  # outside of transactions
            try:
                # Deleted rows would stay readable in the file until others take their place.
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    connection.cursor().execute(statement)
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def damaged(self, what: str, reason: str) -> DatabaseError:
        """Return the error about stored content that nothing can be made of."""
        return DatabaseError(
            f"{what} in the database of sessions ({self.name}) is damaged: {reason}. Delete it, or "
            "restore the database from a backup."
        )

    def _explained(self) -> AbstractContextManager[None]:
        known = (SQLAlchemyError, sqlite3.Error, OSError, ModuleNotFoundError)
        return error_boundary(self._sentence, known=known)

    def _sentence(self, reason: str) -> DatabaseError:
        reason = re.sub(r"^\([\w.]+\) ", "", reason)  # SQLAlchemy's name of the driver's error
        advice = (text for words, text in _ADVICE if words in reason)
        return DatabaseError(
            f"The database of sessions ({self.name}) can't be used: {reason}. "
            f"{next(advice, 'Check EMOTION_DATABASE_URL, which names it.')}"
        )


def _create_engine(url: URL, begin: str = "BEGIN", *, wait: float = _LOCK_SECONDS) -> Engine:
    """Return an engine.

    Args:
        url: Address of the database.
        begin: How SQLite begins a transaction.
        wait: Seconds that SQLite waits for another program's transaction.
    """
    if url.get_backend_name() != "sqlite":
        timeout = {"connect_timeout": _CONNECT_SECONDS}
        if "connect_timeout" in url.query:
            timeout = {}
        return create_engine(url, pool_pre_ping=True, connect_args=timeout)
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    # Without the driver's own transactions, which leave out definitions of tables.
    engine = create_engine(url, connect_args={"timeout": wait, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.text_factory = _decode
        for setting in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _decode(text: bytes) -> str:
    """Return a stored text; damage to one must not make the others unreadable."""
    return text.decode("utf-8", "replace")
