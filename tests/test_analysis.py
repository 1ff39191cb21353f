"""The pipeline on a real face, with the bundled model."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.analysis import EmotionAnalyzer
from utils.classifier import EmotionClassifier
from utils.emotions import EMOTIONS
from utils.errors import CheckpointError, ConfigError, DetectorError, ImageError
from utils.results import FrameResult, Status


@pytest.fixture(scope="module")
def analyzer() -> EmotionAnalyzer:
    return EmotionAnalyzer.load("model/best_model.pth")


def test_the_bundled_model_sees_the_astronaut_smile(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]
) -> None:
    result = analyzer.analyze(astronaut)
    assert (result.width, result.height, result.status) == (512, 512, Status.OK)
    (face,) = result.faces
    assert face.emotion == "happy"
    assert face.confidence > 0.8
    assert not face.uncertain
    assert tuple(face.probabilities) == EMOTIONS
    assert sum(face.probabilities.values()) == pytest.approx(1, abs=1e-4)
    x1, y1, x2, y2 = face.box
    assert x1 < 205 < 247 < x2  # the eyes
    assert y1 < 100 < 142 < y2  # eyes and mouth
    assert face.landmarks is not None
    assert len(face.landmarks) == 5
    assert face.landmarks[0][0] < face.landmarks[1][0]


def test_path_bytes_and_array_give_the_same(analyzer: EmotionAnalyzer, astronaut_jpg: Path) -> None:
    by_path = analyzer.analyze(astronaut_jpg)
    assert by_path.image == str(astronaut_jpg)
    by_bytes = analyzer.analyze(astronaut_jpg.read_bytes(), name=str(astronaut_jpg))
    assert by_bytes == by_path


def test_two_faces_are_one_batch_and_keep_apart(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]
) -> None:
    one = analyzer.analyze(astronaut).faces[0]
    pair = np.concatenate([astronaut, astronaut[:, ::-1]], 1)
    faces = sorted(analyzer.analyze(pair).faces, key=lambda face: face.box[0])
    assert len(faces) == 2
    assert faces[0].box == pytest.approx(one.box, abs=4)
    assert all(face.emotion == "happy" for face in faces)


def test_no_face_is_a_normal_result(analyzer: EmotionAnalyzer) -> None:
    result = analyzer.analyze(np.full((120, 160, 3), 127, np.uint8))
    assert result.faces == ()
    assert result.status is Status.NO_FACE
    assert analyzer.classify(np.zeros((9, 9, 3), np.uint8), np.empty((0, 4), np.float32)).shape == (
        0,
        7,
    )


def test_the_result_survives_json(analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]) -> None:
    result = analyzer.analyze(astronaut, name="a.jpg", time=1.5)
    assert FrameResult.model_validate_json(result.model_dump_json()) == result


def test_detectors_share_the_classifier(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]
) -> None:
    haar = analyzer.with_detector("haar")
    assert haar.classifier is analyzer.classifier
    assert haar.with_detector("mtcnn") is analyzer
    assert any(face.emotion == "happy" for face in haar.analyze(astronaut).faces)
    whole = analyzer.with_detector("none").analyze(astronaut)
    assert whole.faces[0].box == (0, 0, 512, 512)


def test_threads_share_an_analyzer(analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]) -> None:
    expected, found = analyzer.analyze(astronaut), []
    threads = [
        threading.Thread(target=lambda: found.append(analyzer.analyze(astronaut))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_uncertain_follows_the_threshold(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]
) -> None:
    box = np.array([0, 0, 10, 10], np.float32)
    below = np.full(7, (1 - analyzer.threshold + 0.01) / 6, np.float32)
    below[3] = analyzer.threshold - 0.01
    above = np.full(7, (1 - analyzer.threshold - 0.01) / 6, np.float32)
    above[3] = analyzer.threshold + 0.01
    assert analyzer.face(box, 1.0, below).uncertain
    assert not analyzer.face(box, 1.0, above).uncertain
    assert 0.2 < analyzer.threshold < 0.8


def test_any_number_of_crops(analyzer: EmotionAnalyzer) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (70, 48, 48, 3), np.uint8)
    together = analyzer.classifier.predict(crops)
    assert together.shape == (70, 7)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(
        analyzer.classifier.predict(crops[66:67])[0], together[66], atol=1e-4
    )


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.pth"):
        EmotionAnalyzer.load(tmp_path / "nowhere.pth")
    with pytest.raises(DetectorError, match="mtcnn"):
        EmotionAnalyzer.load(detector="eyes")
    with pytest.raises(ConfigError, match="abacus"):
        EmotionClassifier.load(device="abacus")
    with pytest.raises(ImageError, match=r"nowhere\.jpg"):
        EmotionAnalyzer.load(detector="none").analyze(tmp_path / "nowhere.jpg")
