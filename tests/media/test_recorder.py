"""Recordings of live streams, into databases that are slow, full, locked, away or shared."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from frames import frame
from paths import REPO
from postgres import postgres
from sqlalchemy import event
from sqlalchemy.engine import Connection
from stored_points import points_of
from threads import wait_until

from utils.emotions import EMOTIONS
from utils.errors import DatabaseError
from utils.media.sessions import Recorder, SessionStore


def test_a_recording_is_written_while_it_runs(store: SessionStore) -> None:
    recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))
    for i in range(30):
        recorder.put(frame(100 + i / 10))
    recorder.mark("in the middle")
    wait_until(lambda: points_of(store, recorder.session_id) == 30)
    recorder.put(frame(5.0))  # a restarted camera: its time begins at zero
    recorder.put(frame(6.0))
    recorder.stop()
    (info,) = store.sessions()
    times = store.table(info)["time"].tolist()
    assert times[:30] == pytest.approx([i / 10 for i in range(30)])
    assert times[30:] == pytest.approx([2.9, 3.9])
    assert store.markers(info.id)[0].time == pytest.approx(2.9)
    assert recorder.frames == 32
    recorder.put(frame(7.0))
    recorder.stop()
    assert points_of(store, info.id) == 32


def test_an_abandoned_recording_lets_its_thread_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.media.sessions.recorder.IDLE_SECONDS", 0.1)
    store = SessionStore(f"sqlite:///{tmp_path / 'a.sqlite'}")
    recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))

    def threads() -> int:
        return sum(thread.name == "recorder" for thread in threading.enumerate())

    for number in (1, 2):
        recorder.put(frame(float(number)))
        assert threads() == 1
        wait_until(lambda: not threads())
        assert points_of(store, recorder.session_id) == number
    recorder.stop()


def test_a_locked_database_is_reported_and_retried(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    for i in range(50):
        recorder.put(frame(i / 10))
    assert time.monotonic() - began < 1, "the stream must not wait"
    wait_until(lambda: recorder.problem)
    assert "locked" in str(recorder.problem)
    lock.execute("ROLLBACK")
    wait_until(lambda: recorder.problem is None and recorder.frames == 50)
    recorder.stop()
    assert points_of(store, recorder.session_id) == 50


def test_a_full_disk_is_reported_and_retried(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))
    with store._database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    limits = [pages + 2]

    @event.listens_for(store._database.engine, "begin")
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limits[-1]}")

    for i in range(3000):
        recorder.put(frame(i / 10))
    wait_until(lambda: recorder.problem)
    assert "full" in str(recorder.problem)
    assert recorder.waiting == 3000
    recorder.stop()
    assert recorder.saving, "a stopped recording keeps trying"
    limits.append(1_000_000)
    wait_until(lambda: not recorder.saving)
    assert (recorder.problem, recorder.waiting, recorder.frames) == (None, 0, 3000)
    assert points_of(store, recorder.session_id) == 3000


@pytest.mark.slow
def test_a_restarted_server_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with postgres(tmp_path / "server") as server:
        store = SessionStore(server.address)
        recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))
        for i in range(20):
            recorder.put(frame(i / 10))
        wait_until(lambda: recorder.frames)
        server.stop()
        for i in range(20, 40):
            recorder.put(frame(i / 10))
        recorder.mark("the server is away")
        wait_until(lambda: recorder.problem)
        assert "Check that its server runs" in str(recorder.problem)
        recorder.stop()
        assert recorder.waiting
        server.start()
        wait_until(lambda: not recorder.waiting)
        assert recorder.problem is None
        (info,) = store.sessions()
        assert store.table(info)["time"].tolist() == pytest.approx([i / 10 for i in range(40)])
        assert [m.label for m in store.markers(info.id)] == ["the server is away"]
        store.close()


class Forgetful(SessionStore):
    """A database whose connection breaks once, between a commit and its answer."""

    broken = False

    def append(self, *args: Any, **keywords: Any) -> None:
        super().append(*args, **keywords)
        if not self.broken:
            self.broken = True
            raise DatabaseError("The connection is lost.")


def test_a_lost_answer_saves_nothing_twice(tmp_path: Path) -> None:
    store = Forgetful(f"sqlite:///{tmp_path / 'a.sqlite'}")
    recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))
    for i in range(10):
        recorder.put(frame(i / 10))
    wait_until(lambda: recorder.frames == 10)
    recorder.put(frame(1.0))
    recorder.stop()
    assert (points_of(store, recorder.session_id), recorder.frames) == (11, 11)


def test_a_deleted_session_ends_its_recording(store: SessionStore) -> None:
    recorder = Recorder(store, store.create("live", "live", model="m", classes=EMOTIONS))
    store.delete([recorder.session_id])
    recorder.put(frame(0.0))
    wait_until(lambda: recorder.problem)
    assert "deleted" in str(recorder.problem)
    recorder.put(frame(0.1))
    recorder.stop()
    assert recorder.waiting == 0


RECORDING = """
import sys
import time
from frames import frame
from utils.emotions import EMOTIONS
from utils.media.sessions import Recorder, SessionStore
store = SessionStore(sys.argv[1])
recorder = Recorder(store, store.create(sys.argv[2], "live", model="m", classes=EMOTIONS))
for i in range(300):
    recorder.put(frame(i / 10))
    recorder.mark(f"{i}")
    if i % 100 == 0:
        time.sleep(0.7)
recorder.stop()
assert not recorder.waiting, recorder.problem
"""


def test_programs_record_into_one_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'a.sqlite'}"
    names = ["first", "second", "third"]
    environment = os.environ | {"PYTHONPATH": f"{REPO}:{REPO / 'tests' / 'helpers'}"}
    programs = [
        subprocess.Popen([sys.executable, "-c", RECORDING, url, name], env=environment)
        for name in names
    ]
    assert [program.wait(300) for program in programs] == [0, 0, 0]
    store = SessionStore(url)
    assert {session.name for session in store.sessions()} == set(names)
    for session in store.sessions():
        assert points_of(store, session.id) == 300
        assert len(store.markers(session.id)) == 300


def test_a_marker_has_the_time_of_its_moment(tmp_path: Path) -> None:
    store = SessionStore(f"sqlite:///{tmp_path / 'sessions.sqlite'}")
    number = store.create("first", "live", model="m", classes=EMOTIONS)
    recorder = Recorder(store, number)
    recorder.put(frame(5.0))
    recorder.put(frame(7.0))
    for after in (0.25, -0.5, -9.0):
        recorder.mark("now", after=after)
    recorder.stop()
    assert sorted(marker.time for marker in store.markers(number)) == [0.0, 1.5, 2.25]
    store.close()
