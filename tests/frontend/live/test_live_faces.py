"""The cards of the live page: in the order of the faces' numbers, three bars each unless asked."""

import re
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest
from threads import wait_until

from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.live_view import HeatOverlay, LiveView


def script() -> None:
    import streamlit as st

    from frontend.live.camera_stream import CameraState
    from frontend.live.faces import faces

    faces(st.session_state["live"], CameraState(playing=True))


def pair(photo: NDArray[np.uint8], left: float, right: float) -> NDArray[np.uint8]:
    """Return a picture of two faces of different sizes, RGB uint8 (400, 800, 3)."""
    picture = np.full((400, 800, 3), 60, np.uint8)
    for column, size in ((0, left), (400, right)):
        face = cv2.resize(photo[:300, 80:380], None, fx=size, fy=size)
        picture[: len(face), column : column + len(face)] = face
    return picture


@pytest.fixture
def live(astronaut: NDArray[np.uint8]) -> Iterator[LiveAnalyzer]:
    """A stream in which first face 1 is the larger one, then face 2."""
    live = LiveAnalyzer(EmotionAnalyzer.load(device="cpu"), LiveOptions(interval=1))
    live.view = LiveView(heat=HeatOverlay())
    time = 0.0
    for left, right in ((1.3, 1.0), (1.2, 1.1), (1.1, 1.2), (1.0, 1.3)):
        time += 1.1  # faces are detected anew after a second
        live.submit(pair(astronaut, left, right), time)
        wait_until(lambda now=time: (rows := live.snapshot().history) and rows[-1].time == now)
    heat, result = live.view.heat, live.snapshot().result
    assert heat is not None
    assert result is not None
    wait_until(lambda: all(heat.map_of(face) is not None for face in result.faces))
    yield live
    live.stop()


def cards(page: AppTest) -> list[tuple[str, int]]:
    """Return the name of each card and the number of its bars."""
    html = next(e.proto.body for e in page.get("html") if "class='faces'" in e.proto.body)
    parts = re.split("<section class='face' aria-label=", html)[1:]
    return [(part.split("'")[1], part.count("role='meter'")) for part in parts]


def test_cards_stand_in_the_order_of_the_numbers(live: LiveAnalyzer) -> None:
    result = live.snapshot().result
    assert result is not None
    assert [face.track_id for face in result.faces] == [2, 1], "the largest is first"
    page = AppTest.from_function(script, default_timeout=60)
    page.session_state["live"] = live
    page.run()
    assert not page.exception
    assert cards(page) == [("Face 1", 3), ("Face 2", 3)]
    page.session_state["all-bars"] = True
    assert cards(page.run()) == [("Face 1", 7), ("Face 2", 7)]


def test_faces_without_a_heat_map_are_named(live: LiveAnalyzer) -> None:
    page = AppTest.from_function(script, default_timeout=60)
    page.session_state["live"] = live
    assert not page.run().caption
    live.view = LiveView(heat=HeatOverlay())
    (caption,) = page.run().caption
    assert caption.value.replace("\\", "") == "No heat map: face 1, 2."
