"""Markers of the live page: keys, and what the player of a video reports."""

import time as clock
from pathlib import Path

import pytest
from frames import frame
from streamlit.testing.v1 import AppTest

from frontend.live.stimulus import PlayerEvent
from utils.emotions import EMOTIONS
from utils.media.live_outputs.messages import StreamDescription, StreamMessage
from utils.media.live_outputs.outputs import LiveOutputs


class Markers:
    """Keeps the markers that it is sent, and their times."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []

    def send(self, message: StreamMessage, captured: float) -> None:
        if message.event and message.event.label:
            self.sent.append((message.event.label, captured))

    def close(self) -> None:
        pass


def script() -> None:
    import streamlit as st

    from frontend.live import markers
    from frontend.resources import engine_or_stop
    from utils.inference.live import LiveAnalyzer

    engine, _ = engine_or_stop()
    live = st.session_state.setdefault("live", LiveAnalyzer(engine.live))
    markers.keys(live)


@pytest.fixture
def page(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("EMOTION_MODEL", str(tiny_checkpoint))
    page = AppTest.from_function(script, default_timeout=120).run()
    page.text_area[0].set_value("film *starts*\n\n  rating\n" + "\n".join("abcdefghij")).run()
    return page


def test_each_name_has_a_key(page: AppTest) -> None:
    assert not page.exception
    assert [button.proto.shortcut for button in page.button] == list("123456789")
    assert [button.label for button in page.button[:3]] == [r"film \*starts\*", "rating", "a"]


def test_a_key_sets_a_marker(page: AppTest) -> None:
    output = Markers()
    stream = StreamDescription(model="m", classes=EMOTIONS, threshold=0.5)
    outputs = LiveOutputs([output], stream, report=pytest.fail)
    outputs.write(frame(0.0), arrived=clock.monotonic())
    page.session_state["live"].outputs = outputs
    before = clock.monotonic()
    page.button[0].click().run()
    ((label, moment),) = output.sent
    assert label == "film *starts*"
    assert before <= moment <= clock.monotonic()
    assert page.toast[0].value == r"Marked: film \*starts\*"


def test_a_key_without_a_recording_is_explained(page: AppTest) -> None:
    page.button[1].click().run()
    assert not page.exception
    assert page.toast[0].value == "Not marked: rating. Press Record first."


@pytest.mark.parametrize(
    ("kind", "position", "label"),
    [
        ("plays", 0.0, "clip.mp4 starts"),
        ("pauses", 12.34, "clip.mp4 pauses at 12.3 s"),
        ("plays", 12.34, "clip.mp4 continues at 12.3 s"),
        ("jumps", 40.0, "clip.mp4 jumps to 40.0 s"),
        ("ends", 60.0, "clip.mp4 ends"),
    ],
)
def test_what_a_video_does_is_said_in_words(kind: str, position: float, label: str) -> None:
    event = {"kind": kind, "name": "clip.mp4", "position": position, "at": 0}
    assert PlayerEvent.model_validate(event).label == label


@pytest.mark.parametrize(("behind", "age"), [(0.7, 0.7), (-1.0, 0.0), (3600.0, 0.0)])
def test_the_age_of_an_event_needs_the_same_clock(behind: float, age: float) -> None:
    at = 1000 * (clock.time() - behind)
    event = PlayerEvent(kind="plays", name="a", position=0, at=at)
    assert event.age == pytest.approx(age, abs=0.1)
