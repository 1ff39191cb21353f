"""Small pictures of single faces, for tables."""

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.results import Box

THUMBNAIL_SIZE = 72


def face_thumbnail(image: NDArray[np.uint8], box: Box, *, size: int = THUMBNAIL_SIZE) -> bytes:
    """Return one face, scaled to a square, as the bytes of a JPEG file.

    Args:
        image: RGB uint8 ``(H, W, 3)``.
        box: ``(x1, y1, x2, y2)`` in pixels, inside the image.
        size: Side of the square in pixels.
    """
    x1, y1, x2, y2 = (int(v) for v in box)
    face = image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    small = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]))[1].tobytes()
