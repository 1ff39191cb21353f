"""Square face crops, framed like the classifier's training images.

The relation between a detector's box and the frame of a training image is measured by
``backend/measurements/measure_crop.py`` and stored in the checkpoint as a :class:`CropGeometry`.
"""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from utils.validation import Number


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CropGeometry:
    """Position of the square crop relative to a detector's box.

    With ``m`` the longer side of the box, the crop has side ``scale * m``, and its centre is the
    centre of the box shifted by ``(dx * m, dy * m)``.

    Attributes:
        scale: Side of the crop divided by ``m``, 0.1 to 4.
        dx: Horizontal shift divided by ``m``, -2 to 2; positive is right.
        dy: Vertical shift divided by ``m``, -2 to 2; positive is down.

    Raises:
        ValueError: A value is not a number within its range.
    """

    # A crop's memory grows with the square of the scale.
    scale: Annotated[Number, Field(ge=0.1, le=4)]
    dx: Annotated[Number, Field(ge=-2, le=2)] = 0.0
    dy: Annotated[Number, Field(ge=-2, le=2)] = 0.0


# Measured with backend/measurements/measure_crop.py on 1000 training images of FER2013 (seed 0).
# SSD and YuNet could not be measured, as their weights are in no package: they take MTCNN's values,
# an approximation to be replaced by a measurement where they are used.
_MTCNN = CropGeometry(scale=0.955, dx=0.008, dy=-0.008)
DEFAULT_GEOMETRY: dict[str, CropGeometry] = {
    "mtcnn": _MTCNN,
    "haar": CropGeometry(scale=1.027, dx=0.003, dy=0.004),
    "yunet": _MTCNN,
    "ssd": _MTCNN,
    "none": CropGeometry(scale=1.0),
}


def crop_square(box: NDArray[np.float32], geometry: CropGeometry) -> tuple[int, int, int]:
    """Return ``(x, y, side)`` of a box's crop in whole pixels; it may extend beyond the image."""
    x1, y1, x2, y2 = (float(v) for v in box)
    longer = max(x2 - x1, y2 - y1)
    side = max(1, round(geometry.scale * longer))
    center_x = (x1 + x2) / 2 + geometry.dx * longer
    center_y = (y1 + y2) / 2 + geometry.dy * longer
    return round(center_x - side / 2), round(center_y - side / 2), side


def crop_faces(
    image: NDArray[np.uint8], boxes: NDArray[np.float32], *, geometry: CropGeometry, size: int
) -> NDArray[np.uint8]:
    """Crop faces as squares of one size.

    Args:
        image: RGB uint8 ``(H, W, 3)``.
        boxes: float32 ``(N, 4)``, ``(x1, y1, x2, y2)`` in pixels of ``image``.
        geometry: Relation between box and crop.
        size: Side of the returned crops in pixels.

    Returns:
        RGB uint8 ``(N, size, size, 3)``. Where a crop extends beyond the image, edge pixels are
        repeated. Larger crops are reduced by area averaging, smaller ones enlarged bilinearly.
    """
    crops: NDArray[np.uint8] = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
    for crop, box in zip(crops, boxes, strict=True):
        square = _crop(image, *crop_square(box, geometry))
        smoothing = cv2.INTER_AREA if square.shape[0] > size else cv2.INTER_LINEAR
        cv2.resize(square, (size, size), dst=crop, interpolation=smoothing)
    return crops


def _crop(image: NDArray[np.uint8], x: int, y: int, side: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    # The crop of a box at the very edge may lie outside the image: keep one pixel to repeat.
    x = min(max(x, 1 - side), width - 1)
    y = min(max(y, 1 - side), height - 1)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    inside = image[top:bottom, left:right]
    if inside.shape[:2] == (side, side):
        return inside
    # Only this part is copied: padding a 50-megapixel image would cost 150 MB.
    borders = (top - y, y + side - bottom, left - x, x + side - right)
    return np.asarray(cv2.copyMakeBorder(inside, *borders, cv2.BORDER_REPLICATE), dtype=np.uint8)
