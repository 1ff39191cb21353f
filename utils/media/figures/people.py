"""What a recording says about one face, and about all together, as HTML."""

from collections.abc import Mapping, Sequence

import pandas as pd

from utils.emotions import css_color
from utils.media.figures.timecode import timecode
from utils.media.figures.timeline import (
    TimeAxis,
    count_timeline,
    percent,
    probabilities_timeline,
    safe,
)
from utils.media.timeseries import (
    KeyMoment,
    emotion_shares,
    face_series,
    find_gaps,
    group_series,
    key_moments,
)


def time_axis(table: pd.DataFrame, markers: Sequence[tuple[float, str]] = ()) -> TimeAxis:
    """Return the time axis of a recording.

    Args:
        table: The recording, with the columns of ``utils.media.tables.rows``.
        markers: Second and label of each, ordered by time.
    """
    last = table["time"].max()
    return TimeAxis(0.0 if pd.isna(last) else float(last), find_gaps(table), markers)


def person_figure(
    table: pd.DataFrame, track_id: int, classes: Sequence[str], *, axis: TimeAxis, stacked: bool
) -> str:
    """Draw a face's timeline, the shares of its expressions and their largest changes.

    Args:
        table: The recording.
        track_id: Which face.
        classes: Names of the classes.
        axis: Of :func:`time_axis`.
        stacked: Draw areas on top of each other; else lines.
    """
    shares = emotion_shares(table, track_id)
    spoken = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
    chart = probabilities_timeline(
        face_series(table, track_id), classes, axis, label=f"Over time: {spoken}", stacked=stacked
    )
    changes = _moments(key_moments(table, track_id))
    return f"{chart}<div class='details'>{shares_table(shares)}{changes}</div>"


def group_figure(
    table: pd.DataFrame, classes: Sequence[str], *, axis: TimeAxis, stacked: bool
) -> str:
    """Draw the number of faces over time, and the mean of their probabilities.

    Args:
        table: The recording.
        classes: Names of the classes.
        axis: Of :func:`time_axis`.
        stacked: Draw areas on top of each other; else lines.
    """
    series = group_series(table)
    counted = series.dropna(subset=["faces"])
    count = count_timeline(
        counted["time"].tolist(), counted["faces"].round().astype(int).tolist(), axis
    )
    mean = probabilities_timeline(
        series, classes, axis, label="Mean over all faces over time", stacked=stacked
    )
    return (
        f"<p class='title'>Number of faces</p>{count}<p class='title'>Mean over all faces</p>{mean}"
    )


def shares_table(shares: Mapping[str, float]) -> str:
    """Draw the share of each expression, the most frequent first, as an HTML table with bars."""
    rows = "".join(
        f"<tr><th scope='row'>{safe(name)}</th><td class='rail'><i style='width:{share:.1%};"
        f"background:{css_color(name)}'></i></td><td>{percent(share)}</td></tr>"
        for name, share in shares.items()
    )
    return f"<table class='shares'><caption>Share of the time in view</caption>{rows}</table>"


def _moments(moments: Sequence[KeyMoment]) -> str:
    items = "".join(
        f"<li data-time='{moment.time:.2f}'>{timecode(moment.time, tenths=True)} "
        f"{safe(moment.before)} → {safe(moment.after)}</li>"
        for moment in moments
    )
    changes = f"<ol>{items}</ol>" if items else "<p>No change of expression.</p>"
    return f"<div class='moments'>{_title('Largest changes')}{changes}</div>"


def _title(text: str) -> str:
    return f"<p class='title'>{text}</p>"
