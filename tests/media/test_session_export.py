"""Exported sessions: the columns of results, and the markers."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from frames import frame

from utils.emotions import EMOTIONS
from utils.media.sessions import SessionInfo, SessionStore, export
from utils.media.tables.rows import columns
from utils.media.tables.writers import as_csv


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(f"sqlite:///{tmp_path / 'a.sqlite'}")


def record(store: SessionStore, name: str, frames: list, markers: list) -> SessionInfo:
    number = store.create(name, "live", model="m", classes=EMOTIONS, model_revision="abc")
    store.append(number, frames, markers=markers)
    return next(session for session in store.sessions() if session.id == number)


def rows_of(store: SessionStore, session: SessionInfo) -> list[dict]:
    return export.session_rows(store.table(session), store.markers(session.id), session.names)


def cells(session: SessionInfo, rows: list[dict]) -> list[dict[str, str]]:
    text = export.as_csv(rows, export.session_columns(session.classes))
    return list(csv.DictReader(io.StringIO(text, newline="")))


FRAMES = [frame(0.0), frame(1.0, faces=2), frame(2.0, faces=0), frame(3.0)]


def test_a_marker_stands_in_one_row(store: SessionStore) -> None:
    markers = [(0.0, "start"), (0.5, "between"), (1.0, "at"), (9.0, "behind")]
    session = record(store, "a", FRAMES, markers)
    table = cells(session, rows_of(store, session))
    assert list(table[0]) == [*columns(EMOTIONS), "person", "marker"]
    assert [row["marker"] for row in table] == ["start", "between; at", "", "", "behind"]
    assert [row["time"] for row in table] == ["0.0", "1.0", "1.0", "2.0", "3.0"]


def test_the_other_columns_are_those_of_results(store: SessionStore) -> None:
    session = record(store, "a", FRAMES, [])
    table = cells(session, rows_of(store, session))
    named = [result.model_copy(update={"image": "a"}) for result in FRAMES]
    expected = list(csv.DictReader(io.StringIO(as_csv(named, EMOTIONS), newline="")))
    exact = [name for name in columns(EMOTIONS) if not name.startswith(("p_", "raw_"))]
    assert [[row[name] for name in exact] for row in table] == [
        [row[name] for name in exact] for row in expected
    ]


def test_parquet_has_the_same_rows(store: SessionStore) -> None:
    session = record(store, "a", FRAMES, [(1.0, "now")])
    rows = rows_of(store, session)
    table = pd.read_parquet(
        io.BytesIO(export.as_parquet(rows, export.session_columns(session.classes)))
    )
    assert list(table.columns) == [*columns(EMOTIONS), "person", "marker"]
    assert table["marker"].dropna().tolist() == ["now"]
    assert table["time"].tolist() == [row["time"] for row in rows]


def test_json_holds_everything_about_a_session(store: SessionStore) -> None:
    session = record(store, "a", FRAMES, [(0.5, "x; y"), (0.5, "z")])
    store.edit(session.id, note="with Ada")
    (session,) = store.sessions()
    markers = store.markers(session.id)
    document = json.loads(export.as_json(session, markers, rows_of(store, session)))
    assert document["session"]["note"] == "with Ada"
    assert document["session"]["model_revision"] == "abc"
    assert document["session"]["classes"] == list(EMOTIONS)
    assert document["markers"] == [{"time": 0.5, "label": "x; y"}, {"time": 0.5, "label": "z"}]
    assert [row["time"] for row in document["rows"]] == [0.0, 1.0, 1.0, 2.0, 3.0]
    assert document["rows"][1]["track_id"] == 1
    assert "emotion" not in document["rows"][3]


def test_names_of_faces_are_exported(store: SessionStore) -> None:
    session = record(store, "a", FRAMES, [])
    store.edit(session.id, names={2: "=Anna"})
    (session,) = store.sessions()
    rows = rows_of(store, session)
    assert [row["person"] for row in cells(session, rows)] == ["", "", "'=Anna", "", ""]
    columns = export.session_columns(EMOTIONS, markers=False)
    assert "marker" not in export.as_csv(rows[:2], columns).splitlines()[0]
    document = json.loads(export.as_json(session, [], rows))
    assert document["session"]["names"] == {"2": "=Anna"}
    assert "person" not in document["rows"][2]


def test_formulas_are_quoted(store: SessionStore) -> None:
    session = record(store, "=1+1", FRAMES[:1], [(0.0, "=2+2")])
    (row,) = cells(session, rows_of(store, session))
    assert (row["image"], row["marker"]) == ("'=1+1", "'=2+2")


def test_markers_without_frames_are_kept(store: SessionStore) -> None:
    session = record(store, "a", [], [(0.0, "now")])
    (row,) = cells(session, rows_of(store, session))
    assert (row["time"], row["marker"]) == ("0.0", "now")
