"""Small pictures of single faces, for tables and cards."""

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.results import Box, FrameResult

THUMBNAIL_SIZE = 72
_PORTRAIT = 2 * THUMBNAIL_SIZE  # sharp on fine screens
_ROOM = 1.3  # side of a portrait over that of its face


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


class BestFaces:
    """Keeps a picture of each face of a video: where it is classified, largest and clearest.

    Attributes:
        portraits: The pictures by ``track_id``, as the bytes of JPEG files.
    """

    def __init__(self) -> None:
        self.portraits: dict[int, bytes] = {}
        self._ranks: dict[int, tuple[bool, bool, float]] = {}

    def add(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Take the faces of a frame that look better than before.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            result: The faces in it.
        """
        for face in result.faces:
            if face.track_id is None:
                continue
            x1, y1, x2, y2 = face.box
            area = (x2 - x1) * (y2 - y1)
            rank = (face.problem is None, not face.uncertain, area * face.score)
            if rank > self._ranks.get(face.track_id, (False, False, 0.0)):
                self._ranks[face.track_id] = rank
                portrait = face_thumbnail(image, _square(face.box, image.shape), size=_PORTRAIT)
                self.portraits[face.track_id] = portrait


def _square(box: Box, shape: tuple[int, ...]) -> Box:
    """Return a square around a box with some room, as far as the image reaches."""
    height, width = shape[:2]
    x1, y1, x2, y2 = box
    side = min(_ROOM * max(x2 - x1, y2 - y1), width, height)
    left = min(max((x1 + x2 - side) / 2, 0), width - side)
    top = min(max((y1 + y2 - side) / 2, 0), height - side)
    return (left, top, left + side, top + side)
