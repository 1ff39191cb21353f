"""A picture whose faces are numbered and can be clicked."""

import base64
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from frontend.components.cards import count_faces
from utils.emotions import UNKNOWN_COLOR, color_of
from utils.media.images import Image
from utils.results import Face, FrameResult

# The page is at most this wide, on screens of two pixels per CSS pixel.
_MAX_SIDE = 1600
_HERE = Path(__file__)
_picture = st.components.v2.component(
    "face_picture",
    html="<figure><img alt=''><div class='faces' role='group' aria-label='Faces'></div></figure>",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def face_picture(
    source: str,
    result: FrameResult,
    *,
    chosen: int,
    key: str,
    on_choose: Callable[[int], None],
) -> None:
    """Draw a picture with a button on each face.

    Args:
        source: The picture, of :func:`picture_source`.
        result: Its faces; they are numbered from 1 in this order.
        chosen: Number of the face that is marked.
        key: Of the component.
        on_choose: Called with the number of a face that the viewer clicks.
    """
    faces = [
        _described(face, result, number=number, chosen=chosen)
        for number, face in enumerate(result.faces, 1)
    ]
    alt = f"The picture, with {count_faces(result.faces)}" if faces else "The picture"

    def choose() -> None:
        number = st.session_state[key].chosen
        if isinstance(number, int) and 1 <= number <= len(faces):
            on_choose(number)

    data = {"source": source, "alt": alt, "faces": faces}
    _picture(key=key, data=data, on_chosen_change=choose)


def picture_source(image: Image) -> str:
    """Return an RGB image as a ``data:`` URL, reduced to what a page can show."""
    scale = _MAX_SIDE / max(image.shape[:2])
    if scale < 1:
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    jpeg = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _described(face: Face, result: FrameResult, *, number: int, chosen: int) -> dict[str, object]:
    left, top, right, bottom = face.box
    place = (
        100 * left / result.width,
        100 * top / result.height,
        100 * (right - left) / result.width,
        100 * (bottom - top) / result.height,
    )
    label = face.verdict if face.problem else f"{face.verdict} {face.confidence:.0%}"
    return {
        "number": number,
        "chosen": number == chosen,
        "name": f"Face {number}: {label}",
        "tag": str(number) if len(result.faces) > 1 else "",
        "label": label,
        "color": UNKNOWN_COLOR if face.uncertain else color_of(face.emotion),
        "uncertain": face.uncertain,
        "place": place,
    }
