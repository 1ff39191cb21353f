"""Recording from the live page: each marker gets its own text, and the video's end is the end."""

from pathlib import Path

import pytest
from frames import frame
from streamlit.testing.v1 import AppTest

from utils.media.sessions import SessionStore


def script() -> None:
    import streamlit as st

    from frontend.live import departure, recording
    from frontend.resources import engine_or_stop
    from utils.inference.live import LiveAnalyzer

    engine, settings = engine_or_stop()
    live = st.session_state.setdefault("live", LiveAnalyzer(engine.live))
    if st.session_state.get("elsewhere"):
        departure.announce()
        return
    playing = st.session_state.setdefault("camera-played", True)
    spec = engine.live.classifier.spec
    recording.record_button(live, settings, spec=spec, playing=playing)
    recording.state(live)


@pytest.fixture
def store(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> SessionStore:
    url = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    monkeypatch.setenv("EMOTION_DATABASE_URL", url)
    monkeypatch.setenv("EMOTION_MODEL", str(tiny_checkpoint))
    return SessionStore(url)


@pytest.fixture
def page(store: SessionStore) -> AppTest:
    """The page while a recording runs that has two frames."""
    page = AppTest.from_function(script, default_timeout=120).run()
    press(page, "Record")
    assert not page.exception
    listener = page.session_state["live"].listener
    for time in (0.0, 1.5):
        listener(frame(time))
    return page


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()


def test_each_marker_gets_the_text_that_was_typed_for_it(
    page: AppTest, store: SessionStore
) -> None:
    for text in ("film starts", "film ends", ""):
        page.text_input[0].set_value(text)
        press(page, "Mark")
    press(page, "Stop recording")
    assert not page.exception
    (session,) = store.sessions()
    labels = [marker.label for marker in store.markers(session.id)]
    assert labels == ["film starts", "film ends", "Marker"]


def test_the_recording_ends_with_the_video(page: AppTest, store: SessionStore) -> None:
    page.session_state["camera-played"] = False
    page.run()
    assert not page.exception
    assert not page.caption, "no clock goes on"
    assert "Saved 2 seconds" in page.success[0].value
    assert [button.label for button in page.button] == ["Record", "Open the recording"]
    assert page.session_state["live"].listener is None
    assert store.sessions()[0].seconds == 1.5


def test_going_to_another_page_ends_the_recording_and_says_so(
    page: AppTest, store: SessionStore
) -> None:
    page.session_state["elsewhere"] = True
    page.run()
    assert "switched the camera off. The recording was saved" in page.toast[0].value
    assert store.sessions()[0].seconds == 1.5
    assert not page.run().toast, "it is said once"
