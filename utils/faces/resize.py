"""Resizing and padding of images before detection."""

import cv2
import numpy as np
from numpy.typing import NDArray

GRAY = (127, 127, 127)  # about zero after the usual normalisations


def shrink(image: NDArray[np.uint8], max_side: int) -> tuple[NDArray[np.uint8], float]:
    """Scale an image down to a longer side of at most ``max_side`` pixels.

    Returns:
        The image and its scale relative to the original (at most 1); divide coordinates by it to
        convert them back.
    """
    scale = min(1.0, max_side / max(image.shape[:2]))
    if scale == 1:
        return image, scale
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), scale


def pad(image: NDArray[np.uint8], share: float) -> tuple[NDArray[np.uint8], int]:
    """Add a grey border around an image, so that faces that exceed it can be detected.

    Returns:
        The image and the width of the border in pixels, ``share`` times the shorter side.
    """
    border = round(share * min(image.shape[:2]))
    padded = cv2.copyMakeBorder(
        image, border, border, border, border, cv2.BORDER_CONSTANT, value=GRAY
    )
    return np.asarray(padded, dtype=np.uint8), border
