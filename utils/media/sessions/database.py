"""The connection to the database of sessions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from utils.errors import DatabaseError

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK_SECONDS = 3


class Database:
    """A database with up-to-date tables. Safe to share between threads.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://…``. Missing folders and tables are
            created, older tables are migrated.

    Raises:
        DatabaseError: The database can't be reached or used.
    """

    def __init__(self, url: str) -> None:
        with _explained():
            self.engine = _create_engine(url)
            self._migrate()

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection; commit at the end, roll back on an error.

        Raises:
            DatabaseError: The database can't be reached, read or written.
        """
        with _explained(), self.engine.begin() as connection:
            yield connection

    def shrink(self) -> None:
        """Remove deleted rows from the file of an SQLite database.

        Raises:
            DatabaseError: The database can't be written.
        """
        if self.engine.dialect.name == "sqlite":
            # Deleted rows would stay readable in the file until others take their place.
            with _explained(), self.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text("VACUUM"))
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _create_engine(url: str) -> Engine:
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
    """Turn the errors of drivers and of the file system into ones for users."""
    try:
        yield
    except (SQLAlchemyError, OSError, ModuleNotFoundError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise DatabaseError(f"The database of sessions can't be used: {reason}") from error
