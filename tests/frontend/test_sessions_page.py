"""The Sessions page with databases that can't be used, and with damaged sessions."""

import sqlite3
from pathlib import Path

import pytest
import streamlit as st
from frames import frame
from paths import REPO
from streamlit.testing.v1 import AppTest

from utils.emotions import EMOTIONS
from utils.media.sessions import SessionStore

SECRET = "s3cret-word"


def run(session: int | None = None) -> AppTest:
    st.cache_resource.clear()
    script = REPO / "frontend" / "views" / "sessions.py"
    page = AppTest.from_file(str(script), default_timeout=60)
    if session is not None:
        page.query_params["session"] = str(session)
    return page.run()


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        f"oracle://tester:{SECRET}@127.0.0.1/a",
        f"postgresql+psycopg://tester:{SECRET}@127.0.0.1:1/a",
        "sqlite:////proc/nowhere/a.sqlite",
    ],
)
def test_an_unusable_database_is_one_message(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_DATABASE_URL", address)
    page = run()
    assert not page.exception
    (error,) = page.error
    assert "database of sessions" in error.value
    assert error.value.endswith("The other pages work without it.")
    assert SECRET not in error.value


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's database, with one damaged session and one that is sound."""
    path = tmp_path / "a.sqlite"
    monkeypatch.setenv("EMOTION_DATABASE_URL", f"sqlite:///{path}")
    store = SessionStore(f"sqlite:///{path}")
    for name in ("**damaged**", "sound"):
        number = store.create(name, "live", model="m", classes=EMOTIONS)
        store.append(number, [frame(i / 10) for i in range(20)])
    store.close()
    return path


def test_a_damaged_session_can_be_deleted_and_the_others_shown(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE session SET classes = '[' WHERE id = 1")
    page = run()
    assert not page.exception
    (error,) = page.error
    assert r"The classes of session “\*\*damaged\*\*” can't be read" in error.value
    assert page.dataframe[0].value["name"].tolist() == ["sound"]
    page.button(key="delete-1").click().run()
    page.button(key="confirm").click().run()
    assert not page.exception
    assert not page.error
    assert page.dataframe[0].value["name"].tolist() == ["sound"]


def choose(page: AppTest, *rows: int) -> None:
    """Select rows of the list, as a click on them does."""
    selection = {"rows": list(rows), "columns": [], "cells": []}
    page.session_state[page.dataframe[0].key] = {"selection": selection}
    page.run()
    assert not page.exception


def test_a_deleted_session_leaves_the_list_with_nothing_selected(database: Path) -> None:
    page = run()
    choose(page, 0)
    assert [header.value for header in page.header] == ["sound"]
    page.button(key="delete-2").click().run()
    page.button(key="cancel").click().run()
    assert [header.value for header in page.header] == ["sound"]
    page.button(key="delete-2").click().run()
    page.button(key="confirm").click().run()
    assert page.dataframe[0].value["name"].tolist() == ["**damaged**"]
    assert not page.header
    assert [button.key for button in page.button] == ["delete-all"]


def test_a_selected_session_stays_selected_while_the_list_changes(database: Path) -> None:
    page = run()
    choose(page, 1)
    assert [header.value for header in page.header] == [r"\*\*damaged\*\*"]
    store = SessionStore(f"sqlite:///{database}")
    store.create("newer", "live", model="m", classes=EMOTIONS)
    page.run()
    assert page.dataframe[0].value["name"].tolist() == ["newer", "sound", "**damaged**"]
    assert [header.value for header in page.header] == [r"\*\*damaged\*\*"]


@pytest.fixture
def group(database: Path) -> int:
    """A session of six people."""
    store = SessionStore(f"sqlite:///{database}")
    number = store.create("group", "video", model="m", classes=EMOTIONS)
    store.append(number, [frame(i / 10, faces=6) for i in range(20)], markers=[(1.0, "now")])
    return number


def test_a_link_opens_a_session(group: int) -> None:
    page = run(group)
    assert not page.exception
    assert [header.value for header in page.header] == ["group"]
    assert page.subheader[0].value == "All faces"
    buttons = [button.proto.label for button in page.get("download_button")]
    assert buttons == ["Download report", "Download CSV", "Download JSON", "Download Parquet"]


def test_a_face_gets_a_name(group: int, database: Path) -> None:
    page = run(group)
    (field,) = (field for field in page.text_input if field.label == "Name of face 2")
    field.set_value(" Anna ").run()
    assert not page.exception
    assert "Anna" in [heading.value for heading in page.subheader]
    names = [s.names for s in SessionStore(f"sqlite:///{database}").sessions() if s.id == group]
    assert names == [{2: "Anna"}]


def test_a_comparison_says_which_faces_it_leaves_out(group: int, database: Path) -> None:
    store = SessionStore(f"sqlite:///{database}")
    again = store.create("group", "video", model="m", classes=EMOTIONS)
    store.append(again, [frame(i / 10, faces=6) for i in range(20)])
    page = run()
    choose(page, 0, 1)
    assert page.caption[-1].value == "Not drawn: group, Face 6, group, Face 6 (2)."
    page.segmented_control[0].set_value("Means").run()
    assert not page.exception
    assert "Not drawn" not in page.caption[-1].value


def test_everything_is_deleted_only_by_those_who_are_sure(database: Path) -> None:
    page = run()
    page.button(key="delete-all").click().run()
    assert page.button(key="confirm").disabled
    assert len(SessionStore(f"sqlite:///{database}").sessions()) == 2


def test_a_newer_database_is_explained(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    page = run()
    assert not page.exception
    assert "Update the program" in page.error[0].value
