"""Recordings in a real SQLite file and on a real PostgreSQL server."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import frame
from sqlalchemy import update
from stored_points import points_of
from threads import run_at_once

from utils.emotions import EMOTIONS
from utils.errors import DatabaseError
from utils.media.sessions import SessionStore
from utils.media.sessions.tables import SessionRow, now
from utils.media.tables.rows import columns
from utils.media.timeseries import results_table


def plain(column: pd.Series) -> list[object]:
    return [None if pd.isna(value) else value for value in column]


def test_a_session_reads_back_as_written(store: SessionStore) -> None:
    frames = [frame(0.0), frame(0.1, 0.4, faces=2), frame(0.2, faces=0)]
    number = store.create("first", "live", model="m", classes=EMOTIONS)
    store.append(number, frames[:2])
    store.append(number, frames[2:])
    store.mark(number, 0.1, label="now")
    (info,) = store.sessions()
    assert (info.name, info.kind, info.classes, info.seconds) == ("first", "live", EMOTIONS, 0.2)
    table = store.table(info)
    expected = results_table([f.model_copy(update={"image": "first"}) for f in frames], EMOTIONS)
    assert list(table.columns) == list(columns(EMOTIONS))
    for name in table.columns:
        if str(name).startswith(("p_", "raw_")):
            np.testing.assert_allclose(table[name], expected[name].astype(float), atol=1e-7)
        else:
            assert plain(table[name]) == plain(expected[name]), name
    assert [(m.time, m.label) for m in store.markers(number)] == [(0.1, "now")]


def test_the_start_of_a_session_is_in_utc(store: SessionStore) -> None:
    before = now()
    store.create("x", "live", model="m", classes=EMOTIONS)
    (info,) = store.sessions()
    assert info.started.utcoffset() == timedelta(0)
    assert before <= info.started <= now()


def test_sessions_are_found_named_and_noted(store: SessionStore) -> None:
    first = store.create("the first", "live", model="m", classes=EMOTIONS)
    second = store.create("100%_sure", "video", model="m", classes=EMOTIONS)
    store.edit(first, note="with Ada")
    assert [s.id for s in store.sessions()] == [second, first]
    assert [s.id for s in store.sessions("ADA")] == [first]
    assert [s.id for s in store.sessions("0%_")] == [second]
    assert store.sessions("x%x") == []
    store.edit(first, name="renamed")
    assert [s.name for s in store.sessions("renamed")] == ["renamed"]
    assert store.sessions("renamed")[0].note == "with Ada"


def test_deleted_is_gone(store: SessionStore) -> None:
    one, two = (store.create(name, "live", model="m", classes=EMOTIONS) for name in ("one", "two"))
    for number in (one, two):
        store.append(number, [frame(0.0)])
        store.mark(number, 0.0, label="here")
    store.delete([one])
    assert [s.id for s in store.sessions()] == [two]
    assert points_of(store, one) == 0
    assert store.markers(one) == []
    assert points_of(store, two) == 1
    with pytest.raises(DatabaseError, match="deleted"):
        store.append(one, [frame(1.0)])
    store.delete_all()
    assert store.sessions() == []


def test_old_sessions_are_deleted(store: SessionStore) -> None:
    old, new = (store.create(name, "live", model="m", classes=EMOTIONS) for name in ("old", "new"))
    with store._database.transaction() as connection:
        long_ago = {"started": now() - timedelta(days=31)}
        connection.execute(update(SessionRow).where(SessionRow.id == old).values(long_ago))
    assert store.delete_older(30) == 1
    assert [s.id for s in store.sessions()] == [new]


def test_a_second_start_keeps_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    SessionStore(url).create("kept", "live", model="m", classes=EMOTIONS)
    assert [s.name for s in SessionStore(url).sessions()] == ["kept"]


def test_deleted_text_is_not_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    number = store.create("a-secret-name", "live", model="m", classes=EMOTIONS)
    store.append(number, [frame(i / 10) for i in range(500)])
    store.delete([number])
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"a-secret-name" not in left


def test_many_threads_write_at_once(store: SessionStore) -> None:
    numbers = [store.create(str(i), "live", model="m", classes=EMOTIONS) for i in range(4)]

    def write(number: int) -> None:
        for i in range(10):
            store.append(number, [frame(i / 10)])

    run_at_once([partial(write, number) for number in numbers])
    assert [points_of(store, number) for number in numbers] == [10] * 4


def test_the_infos_hold_plain_values(store: SessionStore) -> None:
    store.create("x", "live", model="m", classes=("a", "b"))
    (info,) = store.sessions()
    assert replace(info, name="y").classes == ("a", "b")
    assert isinstance(store.table(info), pd.DataFrame)
