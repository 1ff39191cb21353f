"""Whether a face is large, bright, sharp and frontal enough to be classified."""

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.results import FaceProblem

# Beyond these limits at most half of the predictions on FER2013's validation split stay right, as
# measured by backend/measurements/measure_quality.py: faces shrunk, darkened with sensor noise,
# blurred.
MIN_SIDE = 15.0
MIN_BRIGHTNESS = 25.0
MIN_SHARPNESS = 0.012
# The nose's way from the middle of the eyes, in distances between the eyes: a head turned by 45
# degrees shows about 0.55.
MAX_TURN = 0.6


def find_problem(
    crop: NDArray[np.uint8],
    box: NDArray[np.float32],
    landmarks: NDArray[np.float32] | None = None,
) -> FaceProblem | None:
    """Return what keeps a face from being classified, or None if nothing does.

    Args:
        crop: The classifier's view of the face, RGB uint8 ``(S, S, 3)``.
        box: ``(x1, y1, x2, y2)`` in pixels of the picture.
        landmarks: float32 ``(5, 2)``: eyes, nose and mouth corners in pixels, or None.

    Returns:
        ``too small``, ``too dark``, ``turned away`` or ``too blurred``.
    """
    if max(box[2] - box[0], box[3] - box[1]) < MIN_SIDE:
        return FaceProblem.TOO_SMALL
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32)
    if grey.mean() < MIN_BRIGHTNESS:
        return FaceProblem.TOO_DARK
    if landmarks is not None and turn(landmarks) > MAX_TURN:
        return FaceProblem.TURNED_AWAY
    return FaceProblem.TOO_BLURRED if sharpness(grey) < MIN_SHARPNESS else None


def sharpness(grey: NDArray[np.float32]) -> float:
    """Return the variance of a grey picture's Laplacian relative to the picture's own.

    After Pertuz et al., 2013, "Analysis of focus measure operators for shape-from-focus". The
    ratio does not change with contrast; a picture without any contrast has 0.
    """
    variance = float(grey.var())
    if variance < 1.0:
        return 0.0
    edges = np.asarray(cv2.Laplacian(grey, cv2.CV_32F))
    return float(edges[1:-1, 1:-1].var()) / variance


def turn(landmarks: NDArray[np.float32]) -> float:
    """Return how far the nose is from the middle of the eyes, along the line of the eyes.

    Args:
        landmarks: ``(5, 2)``: eyes, nose and mouth corners in pixels.

    Returns:
        In distances between the eyes: 0 for a face seen from the front, infinite where both eyes
        are in one place.
    """
    left, right, nose = landmarks[:3]
    axis = right - left
    distance = float(np.linalg.norm(axis))
    if distance < 1e-3:
        return float("inf")
    return abs(float((nose - (left + right) / 2) @ axis)) / distance**2
