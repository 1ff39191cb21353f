"""Cards: one per face, with a bar for each class."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from utils.emotions import css_color
from utils.media.video_summary import UNCERTAIN
from utils.results import Face
from utils.text import counted

CHANGE = "Change from the neutral face, in percentage points"


def count_faces(faces: Sequence[Face]) -> str:
    """Return a sentence part such as "1 face" or "2 faces"."""
    return counted(len(faces), "face")


def face_bars(
    faces: Iterable[Face],
    previous: Mapping[int | None, Mapping[str, float]] | None = None,
    *,
    neutral: Mapping[int, Mapping[str, float]] | None = None,
    count: int | None = None,
) -> None:
    """Draw a card with one bar per class for each face.

    Args:
        faces: Shown side by side where there is room.
        previous: Probabilities shown before, by ``track_id``; the bars grow from there.
        neutral: Probabilities of neutral faces, by ``track_id``; the cards of these faces show the
            change from them.
        count: How many bars a card has, the longest first; None shows all, in class order.
    """
    before, neutral = previous or {}, neutral or {}
    cards = []
    for number, face in enumerate(faces, start=1):
        at_rest = neutral.get(face.track_id or 0)
        if at_rest is None:
            bars = _level_bars(face, before.get(face.track_id) or {})
        else:
            bars = _change_bars(face, at_rest)
        if count is not None:
            bars = sorted(bars, key=lambda bar: -abs(bar.length))[:count]
        cards.append(_card(face, number, bars, note="" if at_rest is None else CHANGE))
    st.html(f"<div class='faces'>{''.join(cards)}</div>")


def empty_bars(classes: Sequence[str]) -> None:
    """Draw the bars while there is no face."""
    bars = "".join(_bar(name, None) for name in classes)
    st.html(f"<div class='faces idle'><section class='face'>{bars}</section></div>")


@dataclass(frozen=True)
class _Bar:
    """One class of a card.

    Attributes:
        name: The class.
        length: Its probability or the change of it, -1..1.
        html: The bar.
    """

    name: str
    length: float
    html: str


def _level_bars(face: Face, previous: Mapping[str, float]) -> list[_Bar]:
    """Return bars as long as the probabilities, which grow from the previous ones."""
    return [
        _Bar(
            name,
            value,
            _bar(name, value, previous=previous.get(name, value), best=name == face.emotion),
        )
        for name, value in face.probabilities.items()
    ]


def _change_bars(face: Face, neutral: Mapping[str, float]) -> list[_Bar]:
    """Return bars from the middle to the left or right, as far as the probabilities changed."""
    bars = []
    for name, value in face.probabilities.items():
        change = value - neutral.get(name, 0.0)
        points = round(100 * change)
        fill = f"width:{50 * abs(change):.1f}%;margin-left:{50 + 50 * min(change, 0):.1f}%"
        html = _meter(
            name,
            points,
            least=-100,
            shown=f"{points:+d}" if points else "0",
            fill=fill,
            kind="change",
        )
        bars.append(_Bar(name, change, html))
    return bars


def _card(face: Face, number: int, bars: Sequence[_Bar], *, note: str) -> str:
    number = face.track_id or number
    color = css_color(UNCERTAIN if face.uncertain else face.emotion)
    below = f"<p class='hint'>{note}</p>" if note else ""
    return (
        f"<section class='face' aria-label='Face {number}'><header>"
        f"<span class='dot' style='background:{color}'></span>"
        f"<b>Face {number}</b><span class='top'>{escape(face.verdict)}</span></header>"
        f"{''.join(bar.html for bar in bars)}{below}</section>"
    )


def _bar(name: str, value: float | None, *, previous: float = 0.0, best: bool = False) -> str:
    percent = 0 if value is None else round(100 * value)
    return _meter(
        name,
        percent,
        shown="–" if value is None else f"{percent}%",
        fill=f"--from:{100 * previous:.1f}%;--to:{100 * (value or 0):.1f}%",
        kind="best" if best else "",
    )


def _meter(
    name: str, percent: int, *, shown: str, fill: str, least: int = 0, kind: str = ""
) -> str:
    return (
        f"<div class='bar {kind}' role='meter' aria-label='{escape(name)}' "
        f"aria-valuemin='{least}' aria-valuemax='100' aria-valuenow='{percent}'>"
        f"<span>{escape(name)}</span><span class='rail'><span class='fill' style='"
        f"{fill};background:{css_color(name)}'></span></span>"
        f"<span class='value'>{shown}</span></div>"
    )
