"""Every detector keeps the same promises; the default finds the astronaut."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from threads import run_at_once

from utils.errors import DetectorError
from utils.faces import BUNDLED, Detections, build_detector, list_detectors, ssd, yunet
from utils.faces.crop import DEFAULT_GEOMETRY
from utils.faces.postprocess import make_detections

EYES = np.array([[205, 101], [247, 104]])
MOUTH = np.array([[203, 140], [245, 142]])


def check(found: Detections, image: NDArray[np.uint8]) -> None:
    height, width = image.shape[:2]
    boxes = found.boxes
    assert boxes.dtype == np.float32
    assert found.scores.dtype == np.float32
    assert ((boxes >= 0) & (boxes <= [width, height, width, height])).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    assert (areas[:-1] >= areas[1:]).all()


def covers(box: NDArray[np.float32], points: NDArray) -> bool:
    return bool(((points > box[:2]) & (points < box[2:])).all())


@pytest.mark.parametrize("name", BUNDLED)
def test_any_picture_gives_valid_boxes(name: str, astronaut: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    odd = [np.full((60, 80, 3), 127, np.uint8), noise, noise[:1, :1], noise[:1], noise[:, :1]]
    detector = build_detector(name)
    for image in (*odd, astronaut):
        found = detector.detect(np.ascontiguousarray(image))
        check(found, image)
        if name != "none" and image is odd[0]:
            assert len(found) == 0
            assert found.boxes.shape == (0, 4)


@pytest.mark.parametrize("name", ["mtcnn", "haar"])
def test_the_astronaut_is_found(name: str, astronaut: NDArray[np.uint8]) -> None:
    boxes = build_detector(name).detect(astronaut).boxes
    assert any(covers(box, np.vstack([EYES, MOUTH])) for box in boxes)


def test_landmarks_lie_on_eyes_and_mouth(astronaut: NDArray[np.uint8]) -> None:
    found = build_detector("mtcnn").detect(astronaut)
    assert found.landmarks is not None
    assert np.abs(found.landmarks[0, :2] - EYES).max() < 6
    assert np.abs(found.landmarks[0, 3:] - MOUTH).max() < 6


def test_a_face_that_overflows_the_picture_is_found(astronaut: NDArray[np.uint8]) -> None:
    found = build_detector("mtcnn").detect(np.ascontiguousarray(astronaut[70:165, 185:265]))
    assert len(found) == 1


def test_boxes_of_a_large_picture_are_in_its_own_pixels(astronaut: NDArray[np.uint8]) -> None:
    large = astronaut.repeat(6, 0).repeat(6, 1)
    (box,) = build_detector("mtcnn").detect(large).boxes
    assert covers(box, np.vstack([EYES, MOUTH]) * 6)


def test_small_faces_are_left_out_if_asked(astronaut: NDArray[np.uint8]) -> None:
    assert len(build_detector("mtcnn", min_face=200).detect(astronaut)) == 0


def test_threads_share_a_detector(astronaut: NDArray[np.uint8]) -> None:
    for name in ("mtcnn", "haar"):
        detector = build_detector(name)
        expected = detector.detect(astronaut)
        found = run_at_once([partial(detector.detect, astronaut)] * 4)
        assert len(found) == 4
        for one in found:
            np.testing.assert_array_equal(one.boxes, expected.boxes)


def test_every_detector_has_a_crop_geometry() -> None:
    assert set(DEFAULT_GEOMETRY) == set(list_detectors())
    assert set(BUNDLED) <= set(list_detectors())


def test_an_unknown_detector_lists_the_known() -> None:
    with pytest.raises(DetectorError, match="mtcnn, haar, yunet, ssd, none"):
        build_detector("eagle")
    assert list_detectors()[0] == "mtcnn"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("yunet", "face_detection_yunet_2023mar.onnx.*opencv_zoo"),
        ("ssd", "res10_300x300_ssd_iter_140000.caffemodel"),
    ],
)
def test_a_missing_or_damaged_model_file_is_named(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(
        DetectorError, match=f"--detector-weights.*EMOTION_DETECTOR_WEIGHTS.*{words}"
    ):
        build_detector(name)
    path = tmp_path / "weights.bin"
    with pytest.raises(DetectorError, match=rf"weights\.bin: no such file.*{words}"):
        build_detector(name, weights=path)
    path.write_bytes(b"no network")
    (tmp_path / "deploy.prototxt").write_text("no network either")
    with pytest.raises(DetectorError, match=rf"weights\.bin: not a readable network.*{words}"):
        build_detector(name, weights=path)


def test_outputs_of_yunet_and_ssd_are_parsed() -> None:
    row = np.array([[10, 20, 30, 40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.9]], np.float32)
    boxes, landmarks, scores = yunet.parse_rows(row)
    assert boxes.tolist() == [[10, 20, 40, 60]]
    assert landmarks[0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert scores == pytest.approx([0.9])
    rows = np.array([[0, 1, 0.8, 0.1, 0.2, 0.5, 0.6]], np.float32)
    boxes, scores = ssd.parse_rows(rows, width=200, height=100)
    assert boxes[0] == pytest.approx([20, 20, 100, 60])
    assert scores == pytest.approx([0.8])


def test_boxes_are_clipped_sorted_and_those_outside_dropped() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    raw = np.array([[10, 10, 20, 20], [-50, -50, 60, 60], [200, 200, 300, 300]], np.float32)
    found = make_detections(image, raw, scores=np.array([0.5, 1.2, 0.9], np.float32))
    assert found.boxes.tolist() == [[0, 0, 60, 60], [10, 10, 20, 20]]
    assert found.scores.tolist() == [1, 0.5]


def test_detections_refuse_wrong_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(N, 4\)"):
        Detections(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="scores"):
        Detections(np.zeros((2, 4), np.float32), np.zeros(3, np.float32))
