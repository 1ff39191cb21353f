"""A recording's figure on a page: readings under the pointer, and a playhead beside a video."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from utils.media.figures import people
from utils.media.figures.timeline import percent
from utils.text import visible

_HERE = Path(__file__).parent
# A reading names this many expressions, if they are this probable.
_NAMED, _LEAST = 3, 0.005

_component = st.components.v2.component(
    "recording_figure",
    html="<div class='recording'><div class='figure'></div><p class='readout' hidden></p></div>",
    css="\n".join(
        path.read_text(encoding="utf-8")
        for path in (Path(people.__file__).with_name("figures.css"), _HERE / "timeline.css")
    ),
    js=(_HERE / "timeline.js").read_text(encoding="utf-8"),
)


def draw_figure(
    html: str, series: pd.DataFrame, *, end: float, player: str | None, key: str
) -> None:
    """Draw a figure of ``utils.media.figures.people``.

    Args:
        html: The figure.
        series: What its curves show: ``time`` and the ``p_<class>`` columns.
        end: Last second of its time axis.
        player: CSS selector of the video that the figure belongs to; None without one.
        key: The widget's key.
    """
    data = {
        "html": html,
        "times": series["time"].round(2).tolist(),
        "texts": _readings(series),
        "end": max(end, 0.1),
        "player": player,
    }
    _component(key=key, data=data)


def draw_html(html: str, *, key: str) -> None:
    """Draw HTML that belongs to figures and follows their styles, such as their legend."""
    _component(key=key, data={"html": html})


def _readings(series: pd.DataFrame) -> list[str]:
    """Return what each row says, as text: its most probable expressions."""
    names: Sequence[str] = [name for name in series.columns if str(name).startswith("p_")]
    texts = []
    for row in series[names].to_numpy(float):
        best = sorted(zip(row, names, strict=True), reverse=True)[:_NAMED]
        shown = [f"{visible(name[2:])} {percent(v)}" for v, name in best if v >= _LEAST]
        texts.append("" if np.isnan(row).any() else ", ".join(shown))
    return texts
