"""Measures how training images of cropped faces are framed relative to a detector's box."""

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
# Detectors clip boxes to the image. Without a margin around a tight face, clipped boxes would make
# the frame appear larger relative to the box than it is.
MARGIN = 0.25


@dataclass(frozen=True)
class Spread:
    """Distribution of one parameter of the geometry over the training images."""

    median: float
    lower_quartile: float
    upper_quartile: float
    std: float


@dataclass(frozen=True)
class CropMeasurement:
    """How the frame of training images relates to a detector's boxes.

    Attributes:
        detector: The detector's name.
        images: Number of images measured.
        found: Number of images in which the detector found a face.
        scale: Side of the frame divided by the longer side of the box.
        dx: Horizontal offset of the frame's centre from the box's, divided by the longer side of
            the box; positive is right.
        dy: Vertical offset, likewise; positive is down.
    """

    detector: str
    images: int
    found: int
    scale: Spread
    dx: Spread
    dy: Spread

    @property
    def geometry(self) -> CropGeometry:
        """The medians: the crop that frames a new face like the training images.

        Raises:
            DataError: The faces do not fill the images as in a training set.
        """
        medians = {name: round(getattr(self, name).median, 3) for name in ("scale", "dx", "dy")}
        try:
            return CropGeometry(**medians)
        except ValueError as error:
            raise DataError(
                f"the images are {medians['scale']} times as large as their faces, or do not have "
                "them in the middle: measure with images that a face fills"
            ) from error

    def as_dict(self) -> dict[str, Any]:
        """Return all measurements and the geometry as plain types."""
        return {**asdict(self), "geometry": asdict(self.geometry)}


def measure_crop(detector: FaceDetector, images: Iterable[NDArray[np.uint8]]) -> CropMeasurement:
    """Detect the faces in training images and relate the boxes to the image frames.

    Args:
        detector: The detector that will be used for inference.
        images: RGB uint8 ``(H, W, 3)``, one cropped face each; enlarged to 192 pixels for
            detection.

    Returns:
        Medians and spread over the images with a face; only the largest face of an image counts.

    Raises:
        DataError: No face was found in any image.
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
            f"{detector.name} found no face in any of {count} images; crop geometry can only be "
            "measured on images of faces"
        )
    scale, dx, dy = (_spread(np.array(values)) for values in zip(*relations, strict=True))
    return CropMeasurement(detector.name, count, len(relations), scale, dx, dy)


def _relate(detector: FaceDetector, image: NDArray[np.uint8]) -> tuple[float, float, float] | None:
    enlarged = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    canvas, border = pad(np.asarray(enlarged, dtype=np.uint8), MARGIN)
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
