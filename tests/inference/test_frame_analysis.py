"""The step that live video, files and the WebSocket share, with detectors that count."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.faces import Detections
from utils.faces.postprocess import no_faces
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.frame_analysis import Frame, FrameAnalyzer
from utils.inference.timeline import timeline_rows
from utils.inference.tracking.detection_schedule import DetectionSchedule
from utils.inference.tracking.smoothing import Smoothing
from utils.model.classifier import EmotionClassifier
from utils.results import Status, frame_status

IMAGE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


class FixedDetector:
    """Finds one face, or none if told so; counts the detections."""

    def __init__(self, name: str) -> None:
        self.name, self.calls, self.blind = name, 0, False

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        self.calls += 1
        if self.blind:
            return no_faces(landmarks=False)
        box = np.array([[40, 20, 100, 80]], np.float32)
        return Detections(box, np.array([0.9], np.float32))


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Path) -> EmotionClassifier:
    return EmotionClassifier.load(tiny_checkpoint)


@pytest.fixture
def detector() -> FixedDetector:
    return FixedDetector("none")


@pytest.fixture
def frames(classifier: EmotionClassifier, detector: FixedDetector) -> FrameAnalyzer:
    analyzer = EmotionAnalyzer(classifier, detector)
    return FrameAnalyzer(analyzer, schedule=DetectionSchedule(rest=0.0))


def at(time: float, image: NDArray[np.uint8] = IMAGE) -> Frame:
    return Frame(image, time, time)


def test_between_detections_faces_are_classified_where_they_are_expected(
    frames: FrameAnalyzer, detector: FixedDetector
) -> None:
    analyses = [frames.analyze(at(i / 50)) for i in range(20)]
    assert 2 <= detector.calls < 10
    for i, analysis in enumerate(analyses):
        (face,) = analysis.result.faces
        assert face.track_id == 1
        assert face.raw is not None, "classified in this very frame"
        assert analysis.result.time == i / 50
        assert (analysis.result.width, analysis.result.height) == (160, 120)
    carried = analyses[-1].result_at(1.0, (160, 120))
    assert carried.faces[0].raw is None
    assert carried.faces[0].box == analyses[-1].result.faces[0].box, "it keeps still"


def test_a_black_frame_is_a_camera_that_is_off(
    frames: FrameAnalyzer, detector: FixedDetector
) -> None:
    frames.analyze(at(0.0))
    calls = detector.calls
    black = frames.analyze(at(5.0, np.zeros_like(IMAGE)))
    assert detector.calls == calls
    assert (black.result.status, black.result.faces) == (Status.CAMERA_OFF, ())
    assert black.result_at(5.1, (160, 120)).status is Status.CAMERA_OFF
    assert [row.status for row in timeline_rows(black)] == [Status.CAMERA_OFF]


def test_a_missed_face_stays_for_a_moment_and_the_frame_says_so(
    frames: FrameAnalyzer, detector: FixedDetector
) -> None:
    frames.analyze(at(0.0))
    frames.analyze(at(0.3))
    detector.blind = True
    missed = frames.analyze(at(0.6))
    assert len(missed.result.faces) == 1, "against flicker"
    assert missed.result.faces[0].raw is None
    assert missed.classified == ()
    assert [row.status for row in timeline_rows(missed)] == [Status.NO_FACE]
    gone = frames.analyze(at(1.0))
    assert (gone.result.status, gone.result.faces) == (Status.NO_FACE, ())


def test_a_face_of_a_single_detection_is_dropped_at_once(
    frames: FrameAnalyzer, detector: FixedDetector
) -> None:
    frames.analyze(at(0.0))
    detector.blind = True
    assert frames.analyze(at(0.3)).result.faces == ()


def test_another_detector_detects_at_once_and_tracks_go_on(
    frames: FrameAnalyzer, classifier: EmotionClassifier, detector: FixedDetector
) -> None:
    frames.analyze(at(0.0))
    frames.analyze(at(0.3))
    other = FixedDetector("haar")
    frames.configure(EmotionAnalyzer(classifier, other), Smoothing())
    (face,) = frames.analyze(at(0.31)).result.faces
    assert (detector.calls, other.calls, face.track_id) == (2, 1, 1)


def test_result_and_timeline_have_the_same_status(frames: FrameAnalyzer) -> None:
    for i in range(10):
        analysis = frames.analyze(at(i / 10))
        rows = timeline_rows(analysis)
        assert [row.status for row in rows] == [face.status for face in analysis.result.faces]
        assert frame_status(row.status for row in rows) is analysis.result.status
