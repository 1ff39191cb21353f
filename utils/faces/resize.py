"""What several detectors do to a picture before the search."""

import cv2
import numpy as np
from numpy.typing import NDArray

GRAY = (127, 127, 127)  # about zero after the usual normalisations


def shrink(image: NDArray[np.uint8], max_side: int) -> tuple[NDArray[np.uint8], float]:
    """Scale a larger picture down to a longer side of ``max_side`` pixels.

    Returns:
        The picture and the factor from its pixels to those of the original (at most 1); divide
        coordinates by it to go back.
    """
    scale = min(1.0, max_side / max(image.shape[:2]))
    if scale == 1:
        return image, scale
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), scale


def pad(image: NDArray[np.uint8], share: float) -> tuple[NDArray[np.uint8], int]:
    """Put a grey border around a picture, so that a face that overflows it can be found.

    Returns:
        The picture and the width of the border, ``share`` of the shorter side, in pixels.
    """
    border = round(share * min(image.shape[:2]))
    padded = cv2.copyMakeBorder(
        image, border, border, border, border, cv2.BORDER_CONSTANT, value=GRAY
    )
    return np.asarray(padded, dtype=np.uint8), border
