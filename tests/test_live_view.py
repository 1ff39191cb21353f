"""How live frames are shown."""

import time

import numpy as np
import pytest
from test_sessions import frame

from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live_view import HeatOverlay, LiveView, mirrored
from utils.results import FrameResult


@pytest.fixture(scope="module")
def result(astronaut: np.ndarray) -> FrameResult:
    return EmotionAnalyzer.load().analyze(astronaut)


def face_part(image: np.ndarray, result: FrameResult) -> np.ndarray:
    x1, y1, x2, y2 = (round(v) for v in result.faces[0].box)
    return image[y1 + 8 : y2 - 8, x1 + 8 : x2 - 8]


def test_a_mirrored_frame_has_its_box_on_the_face(
    astronaut: np.ndarray, result: FrameResult
) -> None:
    plain, turned = (
        LiveView().draw(astronaut, result),
        LiveView(mirror=True).draw(astronaut, result),
    )
    there = mirrored(result)
    np.testing.assert_array_equal(face_part(turned, there), face_part(plain, result)[:, ::-1])
    np.testing.assert_array_equal(LiveView(mirror=True).draw(astronaut, None), astronaut[:, ::-1])


def test_a_hidden_face_cannot_be_read(astronaut: np.ndarray, result: FrameResult) -> None:
    before = astronaut.copy()
    shown = LiveView(hide_faces=True).draw(astronaut, result)
    np.testing.assert_array_equal(astronaut, before)
    colours = np.unique(face_part(shown, result).reshape(-1, 3), axis=0)
    assert len(colours) <= 64
    assert not EmotionAnalyzer.load().analyze(shown).faces


def test_heat_is_laid_on_the_face(astronaut: np.ndarray, result: FrameResult) -> None:
    asked = []

    def explain(image: np.ndarray, box: object, emotion: str) -> np.ndarray:
        asked.append(emotion)
        return np.ones((48, 48), np.float32)

    heat = HeatOverlay(explain)
    heat.offer(astronaut, result)
    deadline = time.monotonic() + 10
    while heat.map_of(result.faces[0]) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    heat.offer(astronaut, result)
    assert asked == ["happy"], "about once a second"
    shown = LiveView(heat=heat).draw(astronaut, result)
    assert (face_part(shown, result) != face_part(astronaut, result)).any(2).mean() > 0.9
    assert heat.map_of(frame(0.0).faces[0]) is None
