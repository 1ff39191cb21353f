"""Faces that can't be classified are reported with the reason."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from utils.faces.base import Detections
from utils.faces.quality import MAX_TURN, find_problem, sharpness, turn
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.face_results import ClassifiedFaces, ResultBuilder
from utils.inference.frame_analysis import Frame, FrameAnalysis
from utils.inference.timeline import timeline_rows
from utils.inference.tracking.smoothing import Smoothing
from utils.inference.tracking.tracker import Tracker
from utils.media.drawing import annotate
from utils.results import FaceProblem, Status

BOX = np.array([0, 0, 100, 100], np.float32)


@pytest.fixture(scope="module")
def analyzer() -> EmotionAnalyzer:
    return EmotionAnalyzer.load(device="cpu")


def test_a_clear_face_has_no_problem(analyzer: EmotionAnalyzer, astronaut_jpg: Path) -> None:
    result = analyzer.analyze(astronaut_jpg)
    assert result.status is Status.OK
    assert result.faces[0].problem is None


@pytest.mark.parametrize("reason", ["too dark", "too blurred", "too small"])
def test_what_is_wrong_is_named(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8], reason: str
) -> None:
    """The face found in the good picture, looked at in the bad one."""
    found = analyzer.detect(astronaut)
    boxes = found.boxes[:1]
    if reason == "too dark":
        bad = (astronaut * 0.1).astype(np.uint8)
    elif reason == "too blurred":
        bad = np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 8), np.uint8)
    else:
        bad = np.asarray(cv2.resize(astronaut, None, fx=0.1, fy=0.1, interpolation=3), np.uint8)
        boxes = boxes * 0.1
    classified = analyzer.classify_faces(bad, Detections(boxes, found.scores[:1]))
    assert classified.problems == [FaceProblem(reason)]


def test_a_problem_is_an_uncertain_face_and_a_status(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]
) -> None:
    face_only = EmotionAnalyzer(analyzer.classifier, analyzer.with_detector("none").detector)
    result = face_only.analyze((astronaut[50:190, 160:300] * 0.1).astype(np.uint8))
    assert result.status is Status.LOW_QUALITY
    (face,) = result.faces
    assert (face.problem, face.uncertain) == ("too dark", True)
    drawn = annotate(np.zeros((140, 140, 3), np.uint8), result)
    assert drawn.any()


def landmarks(nose_shift: float) -> NDArray[np.float32]:
    marks = [(30, 40), (70, 40), (50 + nose_shift, 60), (35, 80), (65, 80)]
    return np.array(marks, np.float32)


def test_turned_heads_are_told_by_the_nose() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    assert turn(landmarks(0)) == 0
    assert turn(landmarks(20)) == pytest.approx(0.5)
    # Tilting the head to a shoulder is no turning away.
    tilt = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    assert turn(landmarks(20) @ tilt) == pytest.approx(0.5, abs=1e-5)
    assert find_problem(crop, BOX, landmarks(0)) is None
    assert find_problem(crop, BOX, landmarks(40 * (MAX_TURN + 0.1))) == "turned away"
    assert turn(np.zeros((5, 2), np.float32)) == np.inf


def test_sharpness_does_not_depend_on_contrast(astronaut: NDArray[np.uint8]) -> None:
    grey = np.asarray(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), np.float32)
    assert sharpness(grey * 0.3 + 40) == pytest.approx(sharpness(grey), rel=1e-3)
    assert sharpness(np.asarray(cv2.GaussianBlur(grey, (0, 0), 2))) < sharpness(grey) / 4
    assert sharpness(np.full((48, 48), 99, np.float32)) == 0


def test_smoothed_probabilities_stay_while_a_face_has_a_problem() -> None:
    tracker, smoothing = Tracker(), Smoothing()
    found = Detections(BOX[None], np.ones(1, np.float32))
    happy, sad = np.array([[0.9, 0.1]], np.float32), np.array([[0.1, 0.9]], np.float32)
    tracker.update(0.0, ClassifiedFaces(found, happy, [None]), smoothing=smoothing)
    dark = ClassifiedFaces(found, sad, [FaceProblem.TOO_DARK])
    (track,) = tracker.update(0.1, dark, smoothing=smoothing)
    assert track.prediction.smoothed == pytest.approx(happy[0])
    assert track.prediction.raw == pytest.approx(sad[0])
    frame = Frame(np.zeros((120, 120, 3), np.uint8), 0.1, 0.1)
    results = ResultBuilder("m", ("happy", "sad"), 0.5)
    (row,) = timeline_rows(FrameAnalysis(frame, (track,), (track,), 0.1, results))
    assert (row.status, row.problem) == (Status.LOW_QUALITY, "too dark")
    assert row.smoothed is None
    (track,) = tracker.update(0.2, ClassifiedFaces(found, sad, [None]), smoothing=smoothing)
    assert track.prediction.smoothed[1] > 0.1


def test_a_flat_picture_is_too_blurred_not_an_error(
    analyzer: EmotionAnalyzer, tmp_path: Path
) -> None:
    path = tmp_path / "grey.png"
    Image.new("RGB", (64, 64), (128, 128, 128)).save(path)
    face_only = EmotionAnalyzer(analyzer.classifier, analyzer.with_detector("none").detector)
    assert face_only.analyze(path).faces[0].problem == "too blurred"
