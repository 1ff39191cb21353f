"""The Video page after an analysis, without a browser."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from frames import frame
from paths import REPO
from streamlit.testing.v1 import AppTest

from frontend.video import saving
from frontend.video.analysis import Analysis
from utils.emotions import EMOTIONS
from utils.jobs import Job
from utils.media.sessions import SessionStore
from utils.media.tables import writers


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    st.cache_resource.clear()
    address = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    monkeypatch.setenv("EMOTION_DATABASE_URL", address)
    return address


@pytest.fixture
def page(address: str, tmp_path: Path) -> AppTest:
    """The page of a video of two people that was analysed, without a copy."""
    results = [frame(i / 10, happy=0.9 if i < 20 else 0.02, faces=2) for i in range(40)]
    job = Job(lambda job: Analysis("clip.mp4", tmp_path / "none.mp4", 2, results))
    job.wait()
    page = AppTest.from_file(str(REPO / "frontend/views/video.py"), default_timeout=120)
    page.session_state["video_job"] = job
    page.run()
    assert not page.exception
    return page


def analysis_of(page: AppTest) -> Analysis:
    return page.session_state["video_job"].result


def figures(page: AppTest) -> list[dict[str, Any]]:
    """What the figures of the page show."""
    return [json.loads(element.proto.json) for element in page.get("bidi_component")]


def call(page: AppTest, face: int, name: str) -> None:
    (field,) = (field for field in page.text_input if field.label == f"Name of face {face}")
    field.set_value(name).run()
    assert not page.exception


def save(page: AppTest) -> None:
    (button,) = (button for button in page.button if button.label == "Save to Sessions")
    button.click().run()
    assert not page.exception


def test_a_video_is_saved_once(page: AppTest, address: str) -> None:
    save(page)
    (message,) = page.success
    assert message.value == "Saved to Sessions. [Open the session](sessions?session=1)"
    assert "Save to Sessions" not in [button.label for button in page.button]
    (session,) = SessionStore(address).sessions()
    assert (session.name, session.kind, session.seconds) == ("clip.mp4", "video", 3.9)


def test_a_video_that_can_not_be_saved_leaves_no_half_session(
    page: AppTest, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTION_DATABASE_URL", "sqlite:////proc/nowhere/a.sqlite")
    save(page)
    assert "can't be used" in page.error[0].value
    monkeypatch.setenv("EMOTION_DATABASE_URL", address)
    save(page)
    assert len(SessionStore(address).sessions()) == 1


def test_all_faces_and_each_of_them_are_drawn(page: AppTest) -> None:
    legend, group, *faces = figures(page)
    assert [heading.value for heading in page.subheader] == ["All faces", "Face 1", "Face 2"]
    assert "happy" in legend["html"]
    assert "Number of faces, at most 2" in group["html"]
    assert ["data-time='2.00'" in face["html"] for face in faces] == [True, True]
    assert faces[0]["texts"][0].startswith("happy 90%, ")
    assert {figure["player"] for figure in (group, *faces)} == {None}  # there is no copy
    texts = " ".join(element.proto.body for element in page.get("html"))
    assert "0:04, every 2nd frame: 40 frames analysed" in texts


def test_names_go_into_tables_and_sessions(page: AppTest, address: str) -> None:
    call(page, 2, "Anna")
    assert [heading.value for heading in page.subheader] == ["All faces", "Face 1", "Anna"]
    as_csv, as_parquet = saving.tables(analysis_of(page), EMOTIONS)
    rows = list(csv.DictReader(io.StringIO(as_csv(), newline="")))
    assert [row["person"] for row in rows[:2]] == ["", "Anna"]
    assert pd.read_parquet(io.BytesIO(as_parquet()))["person"].dropna().unique() == ["Anna"]
    save(page)
    call(page, 1, "Bo")
    (session,) = SessionStore(address).sessions()
    assert session.names == {1: "Bo", 2: "Anna"}


def test_tables_without_names_are_those_of_the_terminal(page: AppTest) -> None:
    as_csv, _ = saving.tables(analysis_of(page), EMOTIONS)
    assert as_csv() == writers.as_csv(analysis_of(page).results, EMOTIONS)


def test_a_video_whose_session_was_deleted_can_be_saved_again(page: AppTest, address: str) -> None:
    save(page)
    SessionStore(address).delete_all()
    call(page, 1, "Bo")
    save(page)
    (session,) = SessionStore(address).sessions()
    assert session.names == {1: "Bo"}
