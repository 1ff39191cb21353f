"""The one place that draws results onto images."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage, ImageColor, ImageDraw, ImageFont

from utils.emotions import UNKNOWN_COLOR, color_of
from utils.media.images import Image
from utils.results import Face, FrameResult

Color = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]

BLACK: Color = (0, 0, 0)
WHITE: Color = (255, 255, 255)
# A font with many scripts: class names of another dataset may need them.
FONT_FILE = Path(__file__).with_name("fonts") / "DejaVuSans-Bold.ttf"
SMALLEST_TEXT = 9  # pixels; below it bold letters run together


@dataclass(frozen=True)
class _Label:
    text: str
    text_size: int
    width: int
    height: int


def annotate(image: Image, result: FrameResult) -> Image:
    """Return a copy of an image with its faces drawn; see :func:`draw_into`."""
    return draw_into(np.array(image, dtype=np.uint8, order="C"), result)


def draw_into(image: Image, result: FrameResult) -> Image:
    """Draw faces into an image, in place.

    Each face gets a box and a label such as ``#3 happy 97%`` in its emotion's colour. An uncertain
    face gets a dashed grey box and ``uncertain: happy 41%``; a face that can't be classified gets
    ``can't classify: too dark``. Lines and text scale with the image. A label is placed above its
    box, or below or inside it, and shortened, down to the number, where it would cover another face
    or label.

    Args:
        image: C-contiguous RGB uint8 ``(H, W, 3)``, the frame that ``result`` describes.
        result: The faces, with boxes in pixels of ``image``.

    Returns:
        The same array.
    """
    line = max(1, round(min(image.shape[:2]) / 200))
    for face in reversed(result.faces):
        _draw_box(image, face, line)
    boxes = [_pixels(face) for face in result.faces]
    taken: list[Rectangle] = []
    for number, face in enumerate(result.faces):  # the first faces get the best places
        others = boxes[:number] + boxes[number + 1 :]
        label, place = _place_label(image, face, taken=taken + others, line=line)
        _draw_label(image, label, place, _color(face))
        taken.append(place)
    return image


def draw_heat(image: Image, heat: NDArray[np.float32], *, strength: float = 0.5) -> Image:
    """Return a copy of an image with a heat map blended over it, bright where values are high.

    Args:
        image: RGB uint8 ``(H, W, 3)``.
        heat: float32 ``(h, w)`` in 0..1, resized to the image.
        strength: Weight of the map's colours, 0..1.
    """
    height, width = image.shape[:2]
    values = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
    colors = cv2.applyColorMap((255 * np.clip(values, 0, 1)).astype(np.uint8), cv2.COLORMAP_INFERNO)
    mixed = (1 - strength) * image + strength * colors[..., ::-1]
    return mixed.astype(np.uint8)


def _color(face: Face) -> Color:
    red, green, blue = ImageColor.getrgb(
        UNKNOWN_COLOR if face.uncertain else color_of(face.emotion)
    )[:3]
    return red, green, blue


def _draw_box(image: Image, face: Face, line: int) -> None:
    left, top, right, bottom = _pixels(face)
    corners = [(left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)]
    color = _color(face)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        for a, b in _dashes(start, end, line) if face.uncertain else [(start, end)]:
            # A dark rim keeps the colour visible on any background.
            cv2.line(image, a, b, BLACK, line + 2)
            cv2.line(image, a, b, color, line)


def _dashes(
    start: tuple[int, int], end: tuple[int, int], line: int
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    # An odd number of pieces, so that both corners are drawn; at most 10 dashes a side.
    pieces = min(19, max(1, length // (6 * line))) | 1
    at = np.rint(np.linspace(start, end, pieces + 1)).astype(int).tolist()
    return [(tuple(at[i]), tuple(at[i + 1])) for i in range(0, pieces, 2)]


def _texts(face: Face) -> list[str]:
    """Return the possible label texts, longest first."""
    percent = f"{round(100 * face.confidence)}%"
    if face.problem:
        texts = [face.verdict, face.problem, "?"]
    elif face.uncertain:
        texts = [f"{face.verdict} {percent}", f"{face.emotion}? {percent}", "?"]
    else:
        texts = [f"{face.verdict} {percent}", face.verdict]
    if face.track_id is None:
        return texts
    return [f"#{face.track_id} {text}" for text in texts] + [f"#{face.track_id}"]


def _place_label(
    image: Image, face: Face, *, taken: list[Rectangle], line: int
) -> tuple[_Label, Rectangle]:
    """Return the longest label that has a free place, or the shortest if there is none."""
    height, width = image.shape[:2]
    size = max(SMALLEST_TEXT, round(math.sqrt(height * width) / 36))
    for text in _texts(face):
        label = _fit(text, face, size=size, width=width)
        places = _places(image, face, label=label, line=line)
        free = [place for place in places if not any(_overlap(place, other) for other in taken)]
        if free and label.width <= width:
            return label, free[0]
    return label, places[0]


def _fit(text: str, face: Face, *, size: int, width: int) -> _Label:
    """Return a label, in smaller type where it would be much wider than its face."""
    wanted = max(1.5 * (face.box[2] - face.box[0]), 1)
    length = _font(size).getlength(text)
    fitting = round(size * min(1.0, wanted / length, width / (length + size)))
    smallest = max(SMALLEST_TEXT, round(0.65 * size))
    fitted = max(fitting, smallest)
    length = _font(fitted).getlength(text)
    return _Label(text, fitted, round(length + 0.8 * fitted), round(1.5 * fitted))


def _places(image: Image, face: Face, *, label: _Label, line: int) -> list[Rectangle]:
    """Return where a label may be, the best place first; at least one."""
    height, width = image.shape[:2]
    left, top, _, bottom = _pixels(face)
    rim = line // 2 + 1
    x = max(0, min(left - rim, width - label.width))
    places = [
        (x, y, x + label.width, y + label.height)
        for y in (top - rim - label.height, bottom + rim, top + rim, bottom - rim - label.height)
        if 0 <= y <= height - label.height
    ]
    return places or [(x, 0, x + label.width, label.height)]


def _pixels(face: Face) -> Rectangle:
    left, top, right, bottom = (round(value) for value in face.box)
    return left, top, right, bottom


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_label(image: Image, label: _Label, place: Rectangle, color: Color) -> None:
    canvas = PillowImage.new("RGB", (label.width, label.height), color)
    ImageDraw.Draw(canvas).text(
        (label.width / 2, label.height / 2),
        label.text,
        fill=_text_color(color),
        font=_font(label.text_size),
        anchor="mm",
    )
    left, top, right, bottom = place
    target = image[top:bottom, left:right]
    target[:] = np.asarray(canvas)[: target.shape[0], : target.shape[1]]


def _text_color(background: Color) -> Color:
    """Return black or white, whichever has the higher contrast by WCAG 2.2."""
    parts = [v / 255 for v in background]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # (L + 0.05) / 0.05 > 1.05 / (L + 0.05) from here on.
    return BLACK if luminance > 0.179 else WHITE


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_FILE), size)
