"""Brings the tables of a database up to date, once, however many programs open it at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from utils.errors import DatabaseError

_MIGRATIONS = Path(__file__).with_name("migrations")
# Of the lock that one program holds while it migrates; any number that nothing else uses.
_POSTGRESQL_LOCK = 7_263_514


def is_up_to_date(connection: Connection, name: str) -> bool:
    """Return whether a database has the newest tables that this program knows.

    Args:
        connection: To the database.
        name: What the error calls it.

    Raises:
        DatabaseError: A newer program has migrated it.
    """
    scripts = ScriptDirectory(str(_MIGRATIONS))
    known = {script.revision for script in scripts.walk_revisions()}
    heads = MigrationContext.configure(connection).get_current_heads()
    if unknown := set(heads) - known:
        newest = scripts.get_current_head()
        raise DatabaseError(
            f"The database of sessions ({name}) was written by a newer version of this program: "
            f"its tables have revision {', '.join(sorted(unknown))}, this version knows {newest}. "
            "Update the program, or name another database in EMOTION_DATABASE_URL."
        )
    return heads == (scripts.get_current_head(),)


def migrate(engine: Engine, name: str, *, wait: float) -> None:
    """Create or migrate the tables in one transaction, which a killed program leaves undone.

    SQLite and PostgreSQL roll back definitions of tables like other changes. Only one program
    migrates at a time; those that wait for it find nothing left to do.

    Args:
        engine: Whose SQLite transactions begin with a lock.
        name: What errors call the database.
        wait: Seconds to wait for a program that uses the tables.

    Raises:
        DatabaseError: A newer program has migrated it meanwhile.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = {round(1000 * wait)}"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})"))
        if not is_up_to_date(connection, name):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
