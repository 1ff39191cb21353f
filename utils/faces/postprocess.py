"""The last step of every detector: clip, filter, sort and convert types."""

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections


def no_faces(*, landmarks: bool) -> Detections:
    """Return an empty result, with an empty landmark array if the detector provides landmarks."""
    return Detections(
        boxes=np.empty((0, 4), dtype=np.float32),
        scores=np.empty(0, dtype=np.float32),
        landmarks=np.empty((0, 5, 2), dtype=np.float32) if landmarks else None,
    )


def make_detections(
    image: NDArray[np.uint8],
    boxes: NDArray[np.floating],
    *,
    scores: NDArray[np.floating],
    landmarks: NDArray[np.floating] | None = None,
) -> Detections:
    """Convert raw boxes to :class:`Detections`.

    Args:
        image: The image that the boxes belong to, ``(H, W, 3)``.
        boxes: ``(N, 4)``, ``(x1, y1, x2, y2)`` in pixels of the image, possibly outside it.
        scores: ``(N,)``; clipped to 0..1.
        landmarks: ``(N, 5, 2)`` in pixels, or None; they are not clipped.

    Returns:
        The faces with at least one pixel inside the image, clipped to it, largest first.
    """
    height, width = image.shape[:2]
    clipped = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    sides = clipped[:, 2:] - clipped[:, :2]
    kept = np.flatnonzero((sides >= 1).all(axis=1))
    order = kept[np.argsort(-sides[kept].prod(axis=1), kind="stable")]
    return Detections(
        boxes=clipped[order],
        scores=np.clip(scores[order], 0, 1).astype(np.float32),
        landmarks=None if landmarks is None else landmarks[order].astype(np.float32),
    )
