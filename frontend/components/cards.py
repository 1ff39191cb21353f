"""Cards: one per face, with a bar for each class."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import streamlit as st

from utils.emotions import css_color
from utils.media.video_summary import UNCERTAIN
from utils.results import Face


def count_faces(faces: Sequence[Face]) -> str:
    """Return a sentence part such as "1 face" or "2 faces"."""
    return f"{len(faces)} face{'' if len(faces) == 1 else 's'}"


def verdict(face: Face) -> str:
    """Return the prediction for a face in words, such as "happy" or "uncertain: happy"."""
    if face.problem:
        return f"can't classify: {face.problem}"
    return f"uncertain: {face.emotion}" if face.uncertain else face.emotion


def face_bars(
    faces: Iterable[Face],
    previous: Mapping[int | None, Mapping[str, float]] | None = None,
    *,
    baseline: Mapping[str, float] | None = None,
) -> None:
    """Draw a card with one bar per class for each face.

    Args:
        faces: Shown side by side where there is room.
        previous: Probabilities shown before, by ``track_id``; the bars grow from there.
        baseline: Probabilities of the neutral face; the cards then show the change from it.
    """
    before = previous or {}
    cards = [
        _card(face, number, previous=before.get(face.track_id), baseline=baseline)
        for number, face in enumerate(faces, start=1)
    ]
    st.html(f"<div class='faces'>{''.join(cards)}</div>")


def empty_bars(classes: Sequence[str]) -> None:
    """Draw the bars while there is no face."""
    bars = "".join(_bar(name, None) for name in classes)
    st.html(f"<div class='faces idle'><section class='face'>{bars}</section></div>")


def _card(
    face: Face,
    number: int,
    *,
    previous: Mapping[str, float] | None,
    baseline: Mapping[str, float] | None,
) -> str:
    number = face.track_id or number
    color = css_color(UNCERTAIN if face.uncertain else face.emotion)
    bars = "".join(
        _bar(
            name,
            value,
            previous=(previous or {}).get(name, value),
            best=name == face.emotion,
            change=None if baseline is None else value - baseline.get(name, 0.0),
        )
        for name, value in face.probabilities.items()
    )
    return (
        f"<section class='face' aria-label='Face {number}'><header>"
        f"<span class='dot' style='background:{color}'></span>"
        f"<b>Face {number}</b><span class='top'>{escape(verdict(face))}</span></header>"
        f"{bars}</section>"
    )


def _bar(
    name: str,
    value: float | None,
    *,
    previous: float = 0.0,
    best: bool = False,
    change: float | None = None,
) -> str:
    percent = 0 if value is None else round(100 * value)
    shown = "–" if value is None else f"{percent}%"
    if change is not None:
        shown = f"{round(100 * change):+d}"
    return (
        f"<div class='bar{' best' if best else ''}' role='meter' aria-label='{escape(name)}' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{percent}'>"
        f"<span>{escape(name)}</span><span class='rail'><span class='fill' style='"
        f"--from:{100 * previous:.1f}%;--to:{100 * (value or 0):.1f}%;"
        f"background:{css_color(name)}'></span></span><span class='value'>{shown}</span></div>"
    )
