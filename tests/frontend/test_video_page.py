"""The Video page after an analysis, without a browser."""

from pathlib import Path

import pytest
import streamlit as st
from frames import frame
from paths import REPO
from streamlit.testing.v1 import AppTest

from frontend.video.analysis import Analysis
from utils.jobs import Job
from utils.media.sessions import SessionStore


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


def save(page: AppTest) -> None:
    (button,) = (button for button in page.button if button.label == "Save to Sessions")
    button.click().run()
    assert not page.exception


def test_a_video_is_saved_once(page: AppTest, address: str) -> None:
    save(page)
    assert [message.value for message in page.success] == ["Saved to Sessions."]
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
