"""How a live frame is shown: mirrored, with faces hidden, with heat maps on them."""

import threading
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.media.drawing import draw_heat, draw_into
from utils.results import Box, Face, FrameResult

Picture = NDArray[np.uint8]
# A picture, a face's box and a class to a heat map ``(S, S)`` in 0..1.
Explain = Callable[[Picture, Box, str], NDArray[np.float32]]
# A hidden face shows so many fields across, and the box is drawn this much larger, as hair and
# chin tell people apart too.
_FIELDS, _MARGIN = 8, 0.25
HEAT_SECONDS = 1.0


class HeatOverlay:
    """Explains the largest face about once a second, in a thread of its own.

    Args:
        explain: Returns the heat map of a face's box in a picture.
    """

    def __init__(self, explain: Explain) -> None:
        self._explain = explain
        self._busy = threading.Lock()
        self._last = 0.0
        self._maps: tuple[int | None, NDArray[np.float32]] | None = None

    def offer(self, image: Picture, result: FrameResult) -> None:
        """Begin an explanation of the largest face if it is time for one; returns at once."""
        faces = [face for face in result.faces if not face.problem]
        if not faces or clock.monotonic() - self._last < HEAT_SECONDS:
            return
        if self._busy.acquire(blocking=False):
            self._last = clock.monotonic()
            threading.Thread(target=self._work, args=(image, faces[0]), daemon=True).start()

    def map_of(self, face: Face) -> NDArray[np.float32] | None:
        """Return the newest heat map of a face, if it has one."""
        maps = self._maps
        return maps[1] if maps and maps[0] == face.track_id else None

    def _work(self, image: Picture, face: Face) -> None:
        try:
            self._maps = face.track_id, self._explain(image, face.box, face.emotion)
        finally:
            self._busy.release()


@dataclass(frozen=True)
class LiveView:
    """What is done to a frame before it is shown.

    Attributes:
        mirror: Left and right are changed, as in a mirror.
        hide_faces: Faces that are found become coarse fields.
        heat: Heat maps on the faces; None for none.
    """

    mirror: bool = False
    hide_faces: bool = False
    heat: HeatOverlay | None = None

    def draw(self, image: Picture, result: FrameResult | None) -> Picture:
        """Return a frame as it is to be shown, with its faces drawn.

        Args:
            image: RGB uint8 ``(H, W, 3)``; not changed.
            result: The faces now; None before the first answer.
        """
        faces = result.faces if result else ()
        if not (faces or self.mirror):
            return image
        shown = image.copy()
        for face in faces:
            if self.heat and (influence := self.heat.map_of(face)) is not None:
                laid = partial(draw_heat, heat=influence, strength=0.45)
                _in_box(shown, face.box, 0.0, laid)
            if self.hide_faces:
                _in_box(shown, face.box, _MARGIN, _coarse)
        if self.mirror:
            shown = np.ascontiguousarray(shown[:, ::-1])
            result = result and mirrored(result)
        return draw_into(shown, result) if result else shown


def mirrored(result: FrameResult) -> FrameResult:
    """Return the result of the mirrored frame."""
    width = result.width
    faces = tuple(
        face.model_copy(
            update={"box": (width - face.box[2], face.box[1], width - face.box[0], face.box[3])}
        )
        for face in result.faces
    )
    return result.model_copy(update={"faces": faces})


def _in_box(image: Picture, box: Box, margin: float, change: Callable[[Picture], Picture]) -> None:
    height, width = image.shape[:2]
    extra = margin * max(box[2] - box[0], box[3] - box[1])
    left, top = (max(0, round(v - extra)) for v in box[:2])
    right, bottom = min(width, round(box[2] + extra)), min(height, round(box[3] + extra))
    if right - left > 1 and bottom - top > 1:
        image[top:bottom, left:right] = change(image[top:bottom, left:right])


def _coarse(part: Picture) -> Picture:
    height, width = part.shape[:2]
    small = cv2.resize(part, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
