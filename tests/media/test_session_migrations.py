"""Databases of older and newer versions: migrated whole, once, or refused."""

import os
import signal
import sqlite3
import struct
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from frames import frame
from paths import REPO
from postgres import Postgres
from sqlalchemy import MetaData, create_engine, text

from utils.emotions import EMOTIONS
from utils.errors import DatabaseError
from utils.media.sessions import SessionStore
from utils.media.sessions.tables import Base
from utils.version import __version__

CONFIG = Config()
CONFIG.set_main_option("script_location", str(REPO / "utils/media/sessions/migrations"))
NEWEST = ScriptDirectory.from_config(CONFIG).get_current_head()
SESSIONS, POINTS = 3, 200
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SHARES = struct.pack("<7f", 0.7, *[0.05] * 6)
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPO)}
OPEN = "import sys; from utils.media.sessions import SessionStore; SessionStore(sys.argv[1])"
# Waits for ever in the middle of the migration.
OPEN_AND_WAIT = f"""
import sys, time
from sqlalchemy import event
from sqlalchemy.engine import Engine

@event.listens_for(Engine, "after_cursor_execute")
def wait(connection, cursor, statement, *others):
    if "ADD COLUMN" in statement:
        print("in the middle", flush=True)
        time.sleep(600)

{OPEN}
"""


def session(number: int) -> dict[str, object]:
    names = {"name": f"session {number}", "note": "a note", "kind": "live", "model": "m"}
    times = {"started": STARTED, "seconds": POINTS / 10}
    return {"id": 10 * number, "classes": list(EMOTIONS)} | names | times


def point(number: int, i: int) -> dict[str, object]:
    frame = {"session_id": 10 * number, "time": i / 10, "status": "ok", "width": 64, "height": 48}
    face = {"face": 1, "track_id": 1, "emotion": EMOTIONS[0], "confidence": 0.7, "uncertain": False}
    return frame | face | {"shown": SHARES, "raw": None}


def marker(number: int) -> dict[str, object]:
    return {"session_id": 10 * number, "time": 1.5, "words": f"marker {number}"}


def fill_first_revision(address: str) -> None:
    """Create a database as version 0.1.0 left it, with sessions, points and markers."""
    engine, tables = create_engine(address), MetaData()
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with engine.begin() as connection:
        CONFIG.attributes["connection"] = connection
        command.upgrade(CONFIG, "0001")
        tables.reflect(connection)
        numbers = range(1, SESSIONS + 1)
        for table, rows in {
            "session": [session(n) for n in numbers],
            "point": [point(n, i) for n in numbers for i in range(POINTS)],
            "marker": [marker(n) for n in numbers],
        }.items():
            connection.execute(tables.tables[table].insert(), rows)
    engine.dispose()


def revision(address: str) -> list[str]:
    engine = create_engine(address)
    with engine.connect() as connection:
        found = list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    engine.dispose()
    return found


def assert_whole(address: str) -> None:
    """Nothing of the old sessions is lost, and new ones can be recorded beside them."""
    store = SessionStore(address)
    assert revision(address) == [NEWEST]
    found = {info.id: info for info in store.sessions()}
    assert sorted(found) == [10 * n for n in range(1, SESSIONS + 1)]
    for number in range(1, SESSIONS + 1):
        info = found[10 * number]
        assert (info.name, info.note, info.classes) == (f"session {number}", "a note", EMOTIONS)
        assert info.started == STARTED
        assert (info.version, info.model_revision, info.names) == (None, None, {})
        table = store.table(info)
        assert table["time"].tolist() == [i / 10 for i in range(POINTS)]
        assert table[f"p_{EMOTIONS[0]}"].tolist() == pytest.approx([0.7] * POINTS)
        assert [m.label for m in store.markers(info.id)] == [f"marker {number}"]
    new = store.create("new", "live", model="m", classes=EMOTIONS, model_revision="abc")
    store.append(new, [frame(0.0)], markers=[(0.0, "now")])
    store.edit(new, names={1: "Anna"})
    (info,) = store.sessions("new")
    assert (info.version, info.model_revision) == (__version__, "abc")
    assert info.names == {1: "Anna"}
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A filled database of the first revision."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'a.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("server")
        address = server.create_database(f"old_{abs(hash(request.node.name)):x}")
    fill_first_revision(address)
    return address


def test_a_migration_loses_nothing(old: str) -> None:
    assert revision(old) == ["0001"]
    assert_whole(old)


def test_a_killed_migration_leaves_the_old_database(old: str) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_WAIT, old],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    assert program.stdout.readline() == "in the middle\n"
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()
    assert revision(old) == ["0001"]
    assert_whole(old)


def test_programs_that_open_an_old_database_at_once_migrate_it_once(old: str) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", OPEN, old], env=ENVIRONMENT) for _ in range(3)
    ]
    assert [program.wait(300) for program in programs] == [0, 0, 0]
    assert_whole(old)


def test_a_program_waits_for_another_that_migrates(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    fill_first_revision(f"sqlite:///{path}")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    program = subprocess.Popen([sys.executable, "-c", OPEN, f"sqlite:///{path}"], env=ENVIRONMENT)
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(10)
    lock.execute("COMMIT")
    assert program.wait(300) == 0
    assert_whole(f"sqlite:///{path}")


def test_a_database_of_a_newer_version_is_refused(old: str) -> None:
    SessionStore(old).close()
    engine = create_engine(old)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    engine.dispose()
    with pytest.raises(DatabaseError, match=r"newer version.*0099.*Update the program"):
        SessionStore(old)
    assert revision(old) == ["0099"]


def test_the_tables_are_those_of_the_code(tmp_path: Path) -> None:
    store = SessionStore(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with store._database.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
