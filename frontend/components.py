"""Cards and charts that several pages share."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from utils.emotions import UNKNOWN_COLOR, color_of
from utils.inference.timeline import LiveStats, TimelineRow
from utils.jobs import Job
from utils.results import Face

# A timeline without an answer for so long has a hole, whatever the rate of analysis.
STALL_SECONDS = 2.0
REFRESH_SECONDS = 0.5
NOTICE = (
    "<p class='notice'>This page estimates <b>apparent facial expressions</b>: what a face looks "
    "like, not what a person feels. An AI model on the server that runs this page does the work; "
    "pictures are forgotten, nothing is sent elsewhere, and nothing is kept unless you ask for it. "
    "It is often wrong. Don't use it to judge people, least of all pupils or employees.</p>"
)
_CAMERA_WORDS_CSS = """
p {
  margin: 0; padding: 0.7rem 0.9rem; border-radius: 10px;
  color: var(--st-text-color);
  background: color-mix(in srgb, var(--st-red-color, #c0392b) 16%, transparent);
}
p[hidden] { display: none; }
"""
_camera_words = st.components.v2.component(
    "camera_words",
    html="<p role='alert' hidden></p>",
    css=_CAMERA_WORDS_CSS,
    js=Path(__file__).with_name("camera_words.js").read_text(encoding="utf-8"),
)


def notice() -> None:
    """Say what is estimated, where, and that nothing is kept."""
    st.html(NOTICE)


def camera_words() -> None:
    """Say in words why the browser gives no camera, as soon as it is known."""
    _camera_words(key="camera-words")


def status_line(sentence: str, hint: str = "") -> None:
    """Show the state of things in one sentence that screen readers announce."""
    below = f"<p class='hint'>{escape(hint)}</p>" if hint else ""
    st.html(f"<p class='status' role='status'>{escape(sentence)}</p>{below}")


def count_faces(faces: Sequence[Face]) -> str:
    """Return "1 face in view", "2 faces in view" …"""
    return f"{len(faces)} face{'' if len(faces) == 1 else 's'} in view"


def face_bars(
    faces: Iterable[Face],
    previous: Mapping[int | None, Mapping[str, float]] | None = None,
    baseline: Mapping[str, float] | None = None,
) -> None:
    """Draw a card with one bar per class for each face.

    Args:
        faces: Shown side by side where there is room.
        previous: Probabilities shown before, by ``track_id``; bars grow from there.
        baseline: Probabilities of the neutral face; the change against them stands beside.
    """
    cards = [
        _card(face, number, (previous or {}).get(face.track_id, face.probabilities), baseline)
        for number, face in enumerate(faces, start=1)
    ]
    st.html(f"<div class='faces'>{''.join(cards)}</div>")


def job_progress(job: Job[Any]) -> None:
    """Show how far a job is and a button that ends it; when it has ended, draw the page anew."""
    st.fragment(_job_progress, run_every=REFRESH_SECONDS)(job)


def _job_progress(job: Job[Any]) -> None:
    if not job.running:
        st.rerun()
    progress = job.progress
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    st.progress(progress.done, f"{progress.message or 'Beginning'}{left}")
    if st.button("Stop", icon=":material/stop:", key="stop-job"):
        job.cancel()
    if progress.preview is not None:
        st.image(progress.preview, width=360)


def empty_bars(classes: Sequence[str]) -> None:
    """Draw the bars while there is no face."""
    bars = "".join(_bar(name, None, 0.0, best=False) for name in classes)
    st.html(f"<div class='faces idle'><section class='face'>{bars}</section></div>")


def _card(
    face: Face,
    number: int,
    previous: Mapping[str, float],
    baseline: Mapping[str, float] | None = None,
) -> str:
    number = face.track_id or number
    answer = f"unclear, maybe {face.emotion}" if face.uncertain else face.emotion
    color = color_of(face.emotion)
    if face.problem:
        answer, color = f"can't tell: {face.problem}", UNKNOWN_COLOR
    bars = "".join(
        _bar(
            name,
            value,
            previous.get(name, value),
            best=name == face.emotion,
            change=None if baseline is None else value - baseline.get(name, 0.0),
        )
        for name, value in face.probabilities.items()
    )
    return (
        f"<section class='face' aria-label='Face {number}'><header>"
        f"<span class='dot' style='background:{color}'></span>"
        f"<b>Face {number}</b><span class='top'>{escape(answer)}</span></header>"
        f"{bars}</section>"
    )


def _bar(
    name: str, value: float | None, previous: float, best: bool, change: float | None = None
) -> str:
    percent = 0 if value is None else round(100 * value)
    shown = "–" if value is None else f"{percent} %"
    if change is not None:
        shown = f"{round(100 * change):+d}"
    return (
        f"<div class='bar{' best' if best else ''}' role='meter' aria-label='{escape(name)}' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{percent}'>"
        f"<span>{escape(name)}</span><span class='rail'><span class='fill' style='"
        f"--from:{100 * previous:.1f}%;--to:{100 * (value or 0):.1f}%;"
        f"background:{color_of(name)}'></span></span><span class='value'>{shown}</span></div>"
    )


def live_stats(stats: LiveStats) -> None:
    """Show rates and delays in one line."""
    age = "–" if stats.result_age_ms is None else f"{stats.result_age_ms:.0f} ms"
    items = {
        "Video": f"{stats.output_fps:.0f} fps",
        "Analysed": f"{stats.analysed_fps:.1f} a second",
        "Inference": f"{stats.inference_ms:.0f} ms",
        "Dropped": f"{stats.dropped} frames",
        "Result age": age,
    }
    rows = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in items.items())
    st.html(f"<dl class='stats'>{rows}</dl>")


def charted_faces(rows: Sequence[TimelineRow], seconds: float = 30.0) -> list[int]:
    """Return the ``track_id`` of each face seen in at least four of the last frames, in order.

    What a single search took for a face is read two or three times before the next one corrects it.
    """
    newest = rows[-1].time if rows else 0.0
    seen = Counter(r.track_id for r in rows if r.track_id and newest - r.time <= seconds)
    return sorted(track_id for track_id, times in seen.items() if track_id and times > 3)


def timeline_chart(
    rows: Sequence[TimelineRow], track_id: int, classes: Sequence[str], seconds: float = 30.0
) -> alt.Chart:
    """Draw one face's probabilities over the last seconds.

    Lines break wherever an analysed frame did not show the face, or nothing was analysed for a
    while; that time is left empty.

    Args:
        rows: The timeline of all faces, oldest first.
        track_id: Which face.
        classes: Names of the classes, in the order of the probabilities.
        seconds: How far back the chart goes.
    """
    table = timeline_table(rows, track_id, classes, seconds)
    colors = alt.Scale(domain=list(classes), range=[color_of(name) for name in classes])
    return (
        alt.Chart(table)
        .mark_line(strokeWidth=2, interpolate="linear")
        .encode(
            x=alt.X(
                "seconds:Q", title=None, scale=alt.Scale(domain=[-seconds, 0], nice=False)
            ).axis(grid=False, values=[-30, -20, -10, 0], labelExpr="datum.value + ' s'"),
            y=alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, 1])).axis(
                format="%", tickCount=3
            ),
            color=alt.Color("emotion:N", scale=colors, legend=None),
            tooltip=["emotion:N", alt.Tooltip("probability:Q", format=".0%")],
        )
        .properties(height=150)
    )


def timeline_table(
    rows: Sequence[TimelineRow], track_id: int, classes: Sequence[str], seconds: float
) -> pd.DataFrame:
    """Return the long table behind :func:`timeline_chart`: seconds, emotion, probability.

    ``seconds`` counts back from the newest row (≤ 0). A row without probability (NaN) stands where
    the line of the face must break.
    """
    newest = rows[-1].time if rows else 0.0
    records: list[tuple[float, str, float]] = []
    last, seen_before = -math.inf, False
    for time, frame in groupby(rows, key=attrgetter("time")):
        moment = time - newest
        row = next((r for r in frame if r.track_id == track_id and r.chart is not None), None)
        if row is not None and row.chart is not None and moment >= -seconds:
            if records and (not seen_before or moment - last > STALL_SECONDS):
                records += [(last, name, math.nan) for name in classes]
            records += [(moment, n, float(p)) for n, p in zip(classes, row.chart, strict=True)]
            last = moment
        seen_before = row is not None
    return pd.DataFrame(records, columns=["seconds", "emotion", "probability"])
