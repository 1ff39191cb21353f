"""The live page's switch for other programs, and what they receive."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest
from threads import wait_until
from websockets.sync.client import connect

from utils.inference.live import LiveAnalyzer


def script() -> None:
    import streamlit as st

    from frontend.live import outputs
    from frontend.resources import engine_or_stop
    from utils.inference.live import LiveAnalyzer

    engine, settings = engine_or_stop()
    live = st.session_state.setdefault("live", LiveAnalyzer(engine.live))
    outputs.switch(settings)
    outputs.state(live, engine, settings, playing=True)


@pytest.fixture
def port(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = int(server.getsockname()[1])
    monkeypatch.setenv("EMOTION_MODEL", str(tiny_checkpoint))
    monkeypatch.setenv("EMOTION_BROADCAST", str(number))
    return number


@pytest.fixture
def viewers() -> Iterator[list[AppTest]]:
    pages = [AppTest.from_function(script, default_timeout=120) for _ in range(2)]
    yield pages
    for page in pages:
        if "live" in page.session_state:
            page.session_state["live"].stop()


def turn(page: AppTest, on: bool) -> AppTest:
    return page.toggle[0].set_value(on).run()


def test_without_a_setting_there_is_no_switch(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, viewers: list[AppTest]
) -> None:
    monkeypatch.setenv("EMOTION_MODEL", str(tiny_checkpoint))
    page = viewers[0].run()
    assert not page.exception
    assert not page.toggle


def test_a_viewer_sends_results_until_the_video_ends(
    port: int, viewers: list[AppTest], astronaut: NDArray[np.uint8]
) -> None:
    page = viewers[0].run()
    assert not page.caption
    turn(page, True)
    assert f"WebSocket on port {port}" in page.caption[0].value
    live: LiveAnalyzer = page.session_state["live"]
    with connect(f"ws://127.0.0.1:{port}") as client:
        live.submit(astronaut, 0.0)
        wait_until(lambda: live.snapshot().result)
        threading.Thread(target=live.stop).start()
        messages: list[dict[str, Any]] = [json.loads(text) for text in client]
    kinds = [message["event"]["kind"] for message in messages if "event" in message]
    assert kinds == ["start", "face_appears", "stop"]
    (result,) = [message for message in messages if "result" in message]
    assert result["age_ms"] > 0


def test_one_viewer_sends_at_a_time(port: int, viewers: list[AppTest]) -> None:
    first, second = (viewer.run() for viewer in viewers)
    turn(first, True)
    assert "Another viewer" in turn(second, True).warning[0].value
    outputs = first.session_state["live"].outputs
    turn(first, False)
    assert not first.caption
    wait_until(lambda: outputs.closed)
    assert not second.run().warning
    assert second.caption
    turn(second, False)


def test_an_output_that_can_not_be_opened_is_explained(port: int, viewers: list[AppTest]) -> None:
    with socket.create_server(("127.0.0.1", port)):
        page = turn(viewers[0].run(), True)
    assert not page.exception
    assert f"can't listen on port {port}" in page.warning[0].value.replace("\\", "")
    assert page.run().caption
    turn(page, False)
