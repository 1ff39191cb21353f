"""The MTCNN cascade: three networks, each refining the candidates of the previous one.

Zhang et al., 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks" (https://arxiv.org/abs/1604.02878). Rounding follows facenet-pytorch's ``detect_face``,
against which it is tested. All candidates of a stage pass through its network in one batch.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.devices import open_session
from utils.errors import CheckpointError, DetectorError
from utils.paths import MTCNN_FOLDER

Floats = NDArray[np.float32]
PYRAMID_FACTOR = 0.709
# P-Net, in pixels of its input: the smallest face, the stride, half a face.
_CELL, _STRIDE, _BORDER = 12, 2, 6


class Cascade:
    """The three networks and the detection with them; keeps no state between images.

    The ONNX files are facenet-pytorch's networks (MIT licence,
    https://github.com/timesler/facenet-pytorch), converted by
    ``backend/measurements/convert_mtcnn.py``.

    Args:
        threads: Number of threads for each network.

    Raises:
        DetectorError: A network is missing or damaged.
    """

    def __init__(self, threads: int = 1) -> None:
        try:
            self._pnet, self._rnet, self._onet = (
                open_session(MTCNN_FOLDER / f"{name}.onnx", threads)
                for name in ("pnet", "rnet", "onet")
            )
        except CheckpointError as error:
            raise DetectorError(f"MTCNN can't be used: {error}") from error

    def detect(
        self,
        image: NDArray[np.uint8],
        min_face: float,
        *,
        thresholds: tuple[float, float, float],
        border: int = 0,
    ) -> tuple[Floats, Floats, Floats]:
        """Detect faces.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            min_face: Smallest face to detect, in pixels.
            thresholds: Lowest probability that passes each stage.
            border: Width in pixels of the empty border that was added for faces that exceed the
                image; only half a face of it is processed at each scale.

        Returns:
            Boxes ``(N, 4)``, not clipped to the image; scores ``(N,)``; landmarks ``(N, 5, 2)``.
        """
        boxes = self._candidates(image, border, min_face, thresholds[0])
        crops, boxes = _crop(image, boxes, 24)
        if len(boxes):
            shifts, pairs = self._rnet.run(["shifts", "probabilities"], {"pixels": crops})
            scores = pairs[:, 1]
            boxes, scores, shifts = _rows(scores > thresholds[1], boxes, scores, shifts)
            kept = _suppress(boxes, scores, 0.7)
            boxes = _square(_shift(boxes[kept], shifts[kept]))
        crops, boxes = _crop(image, boxes, 48)
        if not len(boxes):
            return np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), "f4")
        outputs = ["shifts", "points", "probabilities"]
        shifts, points, pairs = self._onet.run(outputs, {"pixels": crops})
        scores = pairs[:, 1]
        kept = scores > thresholds[2]
        boxes, scores, shifts, points = _rows(kept, boxes, scores, shifts, points)
        marks = _landmarks(boxes, points)
        boxes = _shift(boxes, shifts)
        kept = _suppress_nested(boxes, scores, 0.7)
        return boxes[kept], scores[kept], marks[kept]

    def _candidates(
        self, image: NDArray[np.uint8], border: int, min_face: float, threshold: float
    ) -> Floats:
        """Return square boxes ``(N, 4)`` from P-Net over an image pyramid."""
        found = [np.empty((0, 9), np.float32)]
        for level, scale, corner in _pyramid(image, border, _CELL / min_face):
            shifts, pairs = self._pnet.run(
                ["shifts", "probabilities"], {"pixels": _network_input(level[None])}
            )
            rows = _cells_to_boxes(pairs[0, 1], shifts[0], scale, threshold)
            rows[:, :4] += corner
            found.append(rows[_suppress(rows[:, :4], rows[:, 4], 0.5)])
        rows = np.concatenate(found)
        rows = rows[_suppress(rows[:, :4], rows[:, 4], 0.7)]
        sides = np.tile(rows[:, 2:4] - rows[:, :2], 2)
        return _square(rows[:, :4] + rows[:, 5:] * sides)


def _pyramid(
    image: NDArray[np.uint8], border: int, scale: float
) -> Iterator[tuple[NDArray[np.uint8], float, int]]:
    """Yield the image at decreasing scales, with the offset of each level.

    Levels are resized from the image, or from a halved one as long as that has twice their size:
    averaging whole blocks loses next to nothing, and large images would take most of the time.
    """
    source, reduced = image, 1
    while min(image.shape[:2]) * scale >= _CELL:
        if 4 * reduced * scale <= 1:
            half = (source.shape[1] // 2, source.shape[0] // 2)
            source, reduced = _resize(source, half), 2 * reduced
        spare = max(0, border - math.ceil(_BORDER / scale)) // reduced
        height, width = (side - 2 * spare for side in source.shape[:2])
        part = source[spare : spare + height, spare : spare + width]
        own = scale * reduced
        size = (int(width * own + 1), int(height * own + 1))
        yield _resize(part, size), scale, spare * reduced
        scale *= PYRAMID_FACTOR


def _resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _network_input(images: NDArray[np.uint8]) -> Floats:
    """Convert uint8 ``(N, H, W, 3)`` to float32 ``(N, 3, H, W)`` in -1..1."""
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(np.float32)
    pixels -= 127.5
    pixels /= 128
    return pixels


def _cells_to_boxes(
    probabilities: Floats, shifts: Floats, scale: float, threshold: float
) -> Floats:
    """Return ``(N, 9)``: box, probability and shifts of each cell above the threshold."""
    y, x = np.nonzero(probabilities >= threshold)
    corner = np.stack([x, y, x, y], 1).astype(np.float32) * _STRIDE
    boxes = np.floor((corner + np.array([1, 1, _CELL, _CELL], np.float32)) / scale)
    return np.concatenate([boxes, probabilities[y, x, None], shifts[:, y, x].T], 1).astype("f4")


def _suppress(boxes: Floats, scores: Floats, overlap: float) -> NDArray[np.intp]:
    """Return the indices of boxes that remain after non-maximum suppression by IoU."""
    if not len(boxes):
        return np.empty(0, np.intp)
    xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    kept = cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), 0.0, overlap)
    return np.asarray(kept, np.intp).reshape(-1)


def _suppress_nested(boxes: Floats, scores: Floats, overlap: float) -> NDArray[np.intp]:
    """Like ``_suppress``, by intersection over the smaller box: drops a face inside a face."""
    order, kept = list(np.argsort(-scores)), []
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    while order:
        best = order.pop(0)
        kept.append(best)
        rest = np.array(order, np.intp)
        corner = np.maximum(boxes[best, :2], boxes[rest, :2])
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - corner + 1
        shared = np.maximum(sides, 0).prod(1) / np.minimum(areas[best], areas[rest])
        order = list(rest[shared <= overlap])
    return np.array(kept, np.intp)


def _shift(boxes: Floats, shifts: Floats) -> Floats:
    """Shift each side by a fraction of the box."""
    return boxes + shifts * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def _square(boxes: Floats) -> Floats:
    """Make boxes square around their centres, with their longer side."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], 1)


def _crop(image: NDArray[np.uint8], boxes: Floats, side: int) -> tuple[Floats, Floats]:
    """Return network input of the boxes that intersect the image, and these boxes."""
    height, width = image.shape[:2]
    corners = np.trunc(boxes).astype(int)
    start = np.maximum(corners[:, :2], 1) - 1
    end = np.minimum(corners[:, 2:], [width, height])
    inside = (end > start).all(1)
    crops = np.empty((int(inside.sum()), side, side, 3), np.uint8)
    for crop, (x1, y1), (x2, y2) in zip(crops, start[inside], end[inside], strict=True):
        part = image[y1:y2, x1:x2]
        crop[:] = cv2.resize(part, (side, side), interpolation=_interpolation(part, side))
    return _network_input(crops), boxes[inside]


def _interpolation(part: NDArray[np.uint8], side: int) -> int:
    return cv2.INTER_AREA if math.sqrt(part.shape[0] * part.shape[1]) > side else cv2.INTER_LINEAR


def _landmarks(boxes: Floats, points: Floats) -> Floats:
    """Convert fractions of the box ``(N, 10)`` to pixels ``(N, 5, 2)``."""
    marks = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    sides = (boxes[:, 2:] - boxes[:, :2] + 1)[:, None]
    pixels: Floats = (marks * sides + boxes[:, None, :2] - 1).astype(np.float32)
    return pixels


def _rows(kept: NDArray[np.bool_], *arrays: Floats) -> tuple[Floats, ...]:
    return tuple(array[kept] for array in arrays)
