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


def run() -> AppTest:
    st.cache_resource.clear()
    script = REPO / "frontend" / "views" / "sessions.py"
    return AppTest.from_file(str(script), default_timeout=60).run()


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
    assert "delete-1" not in [button.key for button in page.button]


def test_a_selected_session_stays_selected_while_the_list_changes(database: Path) -> None:
    page = run()
    choose(page, 1)
    assert [header.value for header in page.header] == [r"\*\*damaged\*\*"]
    store = SessionStore(f"sqlite:///{database}")
    store.create("newer", "live", model="m", classes=EMOTIONS)
    page.run()
    assert page.dataframe[0].value["name"].tolist() == ["newer", "sound", "**damaged**"]
    assert [header.value for header in page.header] == [r"\*\*damaged\*\*"]


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
