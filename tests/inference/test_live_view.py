"""How live frames are shown."""

from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest
from frames import frame

from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.live_view import HeatOverlay, LiveView, mirrored
from utils.results import FrameResult


@pytest.fixture(scope="module")
def analyzer() -> EmotionAnalyzer:
    return EmotionAnalyzer.load(device="cpu")


@pytest.fixture(scope="module")
def result(analyzer: EmotionAnalyzer, astronaut: np.ndarray) -> FrameResult:
    return analyzer.analyze(astronaut)


@pytest.fixture(scope="module")
def pair(astronaut: np.ndarray) -> np.ndarray:
    """A frame with one face twice, once mirrored, RGB uint8 (300, 600, 3)."""
    half = astronaut[:300, 80:380]
    return np.concatenate([half, half[:, ::-1]], axis=1)


@pytest.fixture(scope="module")
def two(analyzer: EmotionAnalyzer, pair: np.ndarray) -> FrameResult:
    """The result of the pair, its faces numbered as a tracker numbers them."""
    result = analyzer.analyze(pair)
    faces = [face.model_copy(update={"track_id": i}) for i, face in enumerate(result.faces, 1)]
    assert len(faces) == 2
    return result.model_copy(update={"faces": tuple(faces)})


def face_part(image: np.ndarray, result: FrameResult, index: int = 0) -> np.ndarray:
    x1, y1, x2, y2 = (round(v) for v in result.faces[index].box)
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


def test_heat_maps_of_all_classifiable_faces_are_laid_on_them(
    analyzer: EmotionAnalyzer, pair: np.ndarray, two: FrameResult
) -> None:
    heat = HeatOverlay()
    assert heat.map_of(two.faces[0]) is None
    dark = two.faces[1].model_copy(update={"problem": "too dark"})
    heat.update(analyzer, pair, (two.faces[0], dark))
    assert heat.map_of(two.faces[0]) is not None
    assert heat.map_of(dark) is None
    heat.update(analyzer, pair, two.faces)
    shown, plain = LiveView(heat=heat).draw(pair, two), LiveView().draw(pair, two)
    for index, face in enumerate(two.faces):
        influence = heat.map_of(face)
        assert influence is not None
        assert influence.shape == (48, 48)
        assert influence.max() > 0.99
        changed = face_part(shown, two, index) != face_part(plain, two, index)
        assert changed.any(2).mean() > 0.9
    assert heat.map_of(frame(0.0).faces[0].model_copy(update={"track_id": 9})) is None
    heat.update(analyzer, pair, ())
    assert heat.map_of(two.faces[0]) is None, "a face that left keeps no map"


def test_the_map_explains_the_class_that_is_shown(
    analyzer: EmotionAnalyzer, pair: np.ndarray, two: FrameResult
) -> None:
    heat = HeatOverlay()
    for emotion in ("happy", "neutral"):
        faces = [face.model_copy(update={"emotion": emotion}) for face in two.faces]
        heat.update(analyzer, pair, faces)
        crops = analyzer.crops(pair, np.array([face.box for face in faces], np.float32))
        expected = analyzer.classifier.activation_maps(crops, emotion)
        for face, influence in zip(faces, expected, strict=True):
            found = heat.map_of(face)
            assert found is not None
            np.testing.assert_allclose(found, influence, atol=1e-5)


def test_live_faces_get_their_maps_with_the_analysis(
    analyzer: EmotionAnalyzer, pair: np.ndarray
) -> None:
    live = LiveAnalyzer(analyzer, LiveOptions(interval=1))
    live.view = LiveView(heat=HeatOverlay())
    try:
        deadline, mapped, time = monotonic() + 60, 0, 0.0
        while mapped < 2 and monotonic() < deadline:
            live.process(pair, time)
            result = live.snapshot().result
            faces = result.faces if result else ()
            mapped = sum(live.view.heat.map_of(face) is not None for face in faces)
            time += 0.03
            sleep(0.03)
        assert mapped == 2
        assert live.snapshot().error is None
    finally:
        live.stop()


def test_drawing_does_not_wait_for_a_heat_map(analyzer: EmotionAnalyzer, pair: np.ndarray) -> None:
    began, finish = Event(), Event()

    class SlowOverlay(HeatOverlay):
        def update(self, *_: object, **__: object) -> None:
            began.set()
            assert finish.wait(60)

    live = LiveAnalyzer(analyzer, LiveOptions(interval=1))
    live.view = LiveView(heat=SlowOverlay())
    try:
        live.process(pair, 0.0)
        assert began.wait(60)
        assert (live.process(pair, 0.1) != pair).any(), "the faces are drawn already"
        assert not finish.is_set()
    finally:
        finish.set()
        live.stop()
