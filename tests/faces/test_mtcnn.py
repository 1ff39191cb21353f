"""Our MTCNN search finds what facenet-pytorch's own does, on the same weights."""

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.utils.detect_face import detect_face
from numpy.typing import NDArray

from utils.faces.mtcnn_cascade import PYRAMID_FACTOR, Cascade

THRESHOLDS = (0.6, 0.7, 0.7)


def overlap(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    corner, end = np.maximum(one[:2], two[:2]), np.minimum(one[2:], two[2:])
    shared = np.maximum(end - corner, 0).prod()
    return float(shared / ((one[2:] - one[:2]).prod() + (two[2:] - two[:2]).prod() - shared))


@pytest.mark.parametrize("part", ["whole", "left half of the face", "small", "two"])
def test_same_faces_as_facenet_pytorch(astronaut: NDArray[np.uint8], part: str) -> None:
    image = {
        "whole": astronaut,
        "left half of the face": astronaut[:256, :225],
        "small": astronaut[::4, ::4],
        "two": np.concatenate([astronaut[:256], astronaut[:256, ::-1]], 1),
    }[part]
    image = np.ascontiguousarray(image)
    boxes, scores, marks = Cascade().detect(image, 20.0, thresholds=THRESHOLDS)
    nets = MTCNN().eval()
    with torch.inference_mode():
        try:
            rows, points = detect_face(
                image, 20.0, nets.pnet, nets.rnet, nets.onet,
                list(THRESHOLDS), PYRAMID_FACTOR, torch.device("cpu"),
            )  # fmt: skip
            theirs, their_marks = np.asarray(rows[0], np.float32), points[0]
        except RuntimeError:  # its way of saying that no candidate was left
            theirs, their_marks = np.empty((0, 5), np.float32), np.empty((0, 5, 2), np.float32)
    assert len(boxes) == len(theirs)
    if part in ("whole", "two"):
        assert len(boxes) == (2 if part == "two" else 1)
    for box, score, points_of_one in zip(boxes, scores, marks, strict=True):
        best = max(range(len(theirs)), key=lambda i: overlap(box, theirs[i, :4]))
        assert overlap(box, theirs[best, :4]) > 0.85
        assert score == pytest.approx(theirs[best, 4], abs=0.02)
        side = (box[2:] - box[:2]).max()
        assert np.abs(points_of_one - their_marks[best]).max() < max(1.5, 0.05 * side)


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (12, 12), (200, 300)])
def test_no_face_gives_empty_arrays_of_the_right_shapes(shape: tuple[int, int]) -> None:
    boxes, scores, marks = Cascade().detect(
        np.full((*shape, 3), 90, np.uint8), 20.0, thresholds=THRESHOLDS
    )
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)
    assert marks.shape == (0, 5, 2)
