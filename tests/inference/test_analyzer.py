"""The pipeline on a real face, with the bundled model."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from threads import run_at_once

import utils.faces.detector_options
from utils.emotions import EMOTIONS
from utils.errors import CheckpointError, ConfigError, DetectorError, ImageError
from utils.faces import Detections, build_detector
from utils.faces.crop import DEFAULT_GEOMETRY, CropGeometry, crop_faces
from utils.faces.postprocess import no_faces
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.server_analyzers import load_analyzers
from utils.model.checkpoint import load_checkpoint
from utils.model.classifier import EmotionClassifier
from utils.model.torch_runtime import TorchRuntime
from utils.results import FrameResult, Status
from utils.settings import Settings


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
    assert x1 < 205  # the eyes
    assert x2 > 247
    assert y1 < 100  # the eyes
    assert y2 > 142  # the mouth
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
    nothing = analyzer.classify_faces(np.zeros((9, 9, 3), np.uint8), no_faces(landmarks=False))
    assert nothing.probabilities.shape == (0, 7)
    assert list(nothing.problems) == []


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


def test_another_detector_keeps_the_options(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def build(name: str, **options: object) -> OwnDetector:
        built.append((name, options))
        detector = OwnDetector()
        detector.name = name
        return detector

    monkeypatch.setattr(utils.faces.detector_options, "build_detector", build)
    analyzer = EmotionAnalyzer.load(
        tiny_checkpoint, detector_weights=tmp_path, min_face=33, min_score=0.4
    )
    haar = analyzer.with_detector("haar")
    assert haar.with_detector("ssd").detector.name == "ssd"
    assert analyzer.with_detector("ssd") is haar.with_detector("ssd"), "built only once"
    options = {"weights": tmp_path, "min_face": 33, "min_score": 0.4}
    assert built == [("mtcnn", options), ("haar", options), ("ssd", options)]


def test_both_analyzers_of_a_server_share_the_network(tiny_checkpoint: Path) -> None:
    loaded = load_analyzers(Settings(model=tiny_checkpoint, detector="haar", threads=1))
    assert loaded.images.classifier is loaded.live.classifier
    small = np.full((200, 200, 3), 127, np.uint8)
    assert loaded.images.analyze(small).status is Status.NO_FACE
    assert {loaded.images.detector.name, loaded.live.detector.name} == {"haar"}
    assert loaded.images.detector is not loaded.live.detector


def test_threads_share_an_analyzer(analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8]) -> None:
    expected = analyzer.analyze(astronaut)
    assert run_at_once([partial(analyzer.analyze, astronaut)] * 4) == [expected] * 4


@pytest.mark.parametrize(("confidence", "uncertain"), [(0.39, True), (0.41, False)])
def test_uncertain_follows_the_threshold(
    tiny_checkpoint: Path, confidence: float, uncertain: bool
) -> None:
    analyzer = EmotionAnalyzer.load(tiny_checkpoint, detector="none")
    assert analyzer.threshold == 0.4
    probabilities = np.full(7, (1 - confidence) / 6, np.float32)
    probabilities[3] = confidence
    face = analyzer.results.face(np.array([0, 0, 10, 10], np.float32), 1.0, probabilities)
    assert face.emotion == EMOTIONS[3]
    assert face.uncertain is uncertain


def test_only_uncertain_faces_make_an_uncertain_image(
    tiny_checkpoint: Path, astronaut: NDArray[np.uint8]
) -> None:
    result = EmotionAnalyzer.load(tiny_checkpoint, detector="none").analyze(astronaut)
    assert [face.uncertain for face in result.faces] == [True]
    assert result.status is Status.UNCERTAIN


def test_the_bundled_model_may_be_uncertain(analyzer: EmotionAnalyzer) -> None:
    assert 1 / 7 < analyzer.threshold < 1


class OwnDetector:
    """A detector without a crop geometry."""

    name = "own"

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        return Detections(np.array([[0, 0, 9, 9]], np.float32), np.ones(1, np.float32))


def test_crops_follow_the_checkpoints_geometry(
    tiny_checkpoint: Path, astronaut: NDArray[np.uint8]
) -> None:
    box = np.array([[170, 60, 280, 180]], np.float32)
    checkpoint = load_checkpoint(tiny_checkpoint)
    geometry = {"own": CropGeometry(2.0, 0.1, 0.2)}
    checkpoint.preprocessing = replace(checkpoint.preprocessing, geometry=geometry)
    classifier = EmotionClassifier(checkpoint, TorchRuntime(checkpoint))
    detections = Detections(box, np.ones(1, np.float32))
    own = EmotionAnalyzer(classifier, OwnDetector())
    got = own.classify_faces(astronaut, detections).probabilities
    expected = classifier.predict(crop_faces(astronaut, box, geometry=geometry["own"], size=48))
    np.testing.assert_array_equal(got, expected)
    default = classifier.predict(
        crop_faces(astronaut, box, geometry=DEFAULT_GEOMETRY["none"], size=48)
    )
    assert np.abs(got - default).max() > 1e-6
    # The checkpoint knows nothing of this one.
    fallback = EmotionAnalyzer(classifier, build_detector("none"))
    got = fallback.classify_faces(astronaut, detections).probabilities
    np.testing.assert_array_equal(got, default)


def test_a_detector_without_geometry_is_named(
    tiny_checkpoint: Path, astronaut: NDArray[np.uint8]
) -> None:
    analyzer = EmotionAnalyzer(EmotionClassifier.load(tiny_checkpoint), OwnDetector())
    with pytest.raises(DetectorError, match=r"'own'.*measure_crop"):
        analyzer.analyze(astronaut)


def test_errors_name_their_cause(tiny_checkpoint: Path, tmp_path: Path) -> None:
    analyzer = EmotionAnalyzer.load(tiny_checkpoint, detector="none")
    with pytest.raises(CheckpointError, match=r"nowhere\.pth"):
        EmotionAnalyzer.load(tmp_path / "nowhere.pth")
    with pytest.raises(DetectorError, match="mtcnn"):
        EmotionAnalyzer.load(detector="eyes")
    with pytest.raises(ConfigError, match="abacus"):
        EmotionClassifier.load(tiny_checkpoint, device="abacus")
    with pytest.raises(ImageError, match=r"nowhere\.jpg"):
        analyzer.analyze(tmp_path / "nowhere.jpg")
    with pytest.raises(ImageError, match=r"upload\.jpg"):
        analyzer.analyze(b"no image", name="upload.jpg")
