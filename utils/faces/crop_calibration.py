"""Measure how training pictures of cropped faces are framed, seen from a detector's box."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.errors import DataError
from utils.faces.base import FaceDetector
from utils.faces.crop import CropGeometry
from utils.faces.resize import pad

SIDE = 192
# Detectors clip boxes to the picture. Without room around a tight face the clipped boxes would make
# the frame look larger, relative to the box, than it is.
ROOM = 0.25


@dataclass(frozen=True)
class Spread:
    """The distribution of one number of the geometry over the training pictures."""

    median: float
    lower_quartile: float
    upper_quartile: float
    std: float


@dataclass(frozen=True)
class CropMeasurement:
    """How the frame of training pictures relates to a detector's boxes.

    Attributes:
        detector: The detector's name.
        images: How many pictures were looked at.
        found: In how many of them the detector found a face.
        scale: Side of the frame by the longer side of the box.
        dx: Centre of the frame less centre of the box, by the longer side; positive is right.
        dy: The same downwards.
    """

    detector: str
    images: int
    found: int
    scale: Spread
    dx: Spread
    dy: Spread

    @property
    def geometry(self) -> CropGeometry:
        """The medians: the crop that frames a new face as the training pictures are framed."""
        return CropGeometry(
            scale=round(self.scale.median, 3),
            dx=round(self.dx.median, 3),
            dy=round(self.dy.median, 3),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything measured, and the geometry, as plain types."""
        return {**asdict(self), "geometry": asdict(self.geometry)}


def measure_crop(detector: FaceDetector, images: Iterable[NDArray[np.uint8]]) -> CropMeasurement:
    """Detect the faces in training pictures and relate the boxes to the pictures' frames.

    Args:
        detector: The detector that will find the faces at use.
        images: RGB uint8 ``(H, W, 3)``, one cropped face each; enlarged to 192 pixels for the
            search.

    Returns:
        Medians and spread over the pictures with a face; of several faces the largest counts.

    Raises:
        DataError: No face was found in any picture.
    """
    relations = []
    count = 0
    for image in images:
        count += 1
        relation = _relate(detector, image)
        if relation is not None:
            relations.append(relation)
    if not relations:
        raise DataError(
            f"{detector.name} found no face in any of {count} pictures; crop geometry can only be "
            "measured on pictures of faces"
        )
    scale, dx, dy = (_spread(np.array(values)) for values in zip(*relations, strict=True))
    return CropMeasurement(detector.name, count, len(relations), scale, dx, dy)


def _relate(detector: FaceDetector, image: NDArray[np.uint8]) -> tuple[float, float, float] | None:
    enlarged = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    canvas, border = pad(np.asarray(enlarged, dtype=np.uint8), ROOM)
    faces = detector.detect(canvas)
    if len(faces) == 0:
        return None
    x1, y1, x2, y2 = (float(v) for v in faces.boxes[0])
    longer = max(x2 - x1, y2 - y1)
    center = border + SIDE / 2
    return SIDE / longer, (center - (x1 + x2) / 2) / longer, (center - (y1 + y2) / 2) / longer


def _spread(values: NDArray[np.float64]) -> Spread:
    lower, median, upper = (float(v) for v in np.percentile(values, [25, 50, 75]))
    return Spread(median, lower, upper, float(values.std()))
