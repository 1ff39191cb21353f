"""How a live frame is shown: mirrored, with hidden faces, with heat maps on the faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.inference.analyzer import EmotionAnalyzer
from utils.media.drawing import draw_heat, draw_into
from utils.media.images import Image
from utils.results import Box, Face, FrameResult

# A hidden face is reduced to this many fields a side, and the box is enlarged by this share, as
# hair and chin identify people too.
_FIELDS, _MARGIN = 8, 0.25
_HEAT_STRENGTH = 0.45


class HeatOverlay:
    """The newest heat map of each face: where the evidence for its predicted class lies.

    One thread updates it, with every analysed frame; any thread may read it.
    """

    def __init__(self) -> None:
        self._maps: dict[int | None, NDArray[np.float32]] = {}

    def update(self, analyzer: EmotionAnalyzer, image: Image, faces: Sequence[Face]) -> None:
        """Compute the maps of an analysed frame's faces; maps of other faces are dropped.

        Args:
            analyzer: Crops as the detector of these boxes requires, and knows the network.
            image: RGB uint8 ``(H, W, 3)``.
            faces: The frame's faces; those that have a problem get no map.

        Raises:
            ConfigError: The network has no class activation map.
        """
        classifiable = [face for face in faces if not face.problem]
        if not classifiable:
            self._maps = {}
            return
        crops = analyzer.crops(image, np.array([face.box for face in classifiable], np.float32))
        targets = [analyzer.classes.index(face.emotion) for face in classifiable]
        maps = analyzer.classifier.activation_maps(crops, targets)
        # Replaced at once: readers see the old maps or the new ones.
        self._maps = {face.track_id: heat for face, heat in zip(classifiable, maps, strict=True)}

    def map_of(self, face: Face) -> NDArray[np.float32] | None:
        """Return the newest heat map of a face, float32 ``(S, S)`` in 0..1; None without one."""
        return self._maps.get(face.track_id)


@dataclass(frozen=True)
class LiveView:
    """What is done to a frame before it is shown.

    Attributes:
        mirror: Whether left and right are swapped, as in a mirror.
        hide_faces: Whether detected faces are pixelated.
        heat: Heat maps to lay over the faces; None shows none.
    """

    mirror: bool = False
    hide_faces: bool = False
    heat: HeatOverlay | None = None

    def draw(self, image: Image, result: FrameResult | None) -> Image:
        """Return a frame as it is shown, with its faces drawn.

        Args:
            image: RGB uint8 ``(H, W, 3)``; not changed.
            result: The faces in this frame; None before the first result.
        """
        faces = result.faces if result else ()
        if not (faces or self.mirror):
            return image
        shown = image.copy()
        for face in faces:
            if self.heat and (influence := self.heat.map_of(face)) is not None:
                lay_over = partial(draw_heat, heat=influence, strength=_HEAT_STRENGTH)
                _change_box(shown, face.box, margin=0.0, change=lay_over)
            if self.hide_faces:
                _change_box(shown, face.box, margin=_MARGIN, change=_pixelated)
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


def _change_box(image: Image, box: Box, *, margin: float, change: Callable[[Image], Image]) -> None:
    """Replace the part of an image inside a box, enlarged by a margin, by a changed one."""
    height, width = image.shape[:2]
    extra = margin * max(box[2] - box[0], box[3] - box[1])
    left, top = (max(0, round(v - extra)) for v in box[:2])
    right, bottom = min(width, round(box[2] + extra)), min(height, round(box[3] + extra))
    if right - left > 1 and bottom - top > 1:
        image[top:bottom, left:right] = change(image[top:bottom, left:right])


def _pixelated(part: Image) -> Image:
    height, width = part.shape[:2]
    small = cv2.resize(part, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
