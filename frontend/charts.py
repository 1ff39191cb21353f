"""Charts of recorded results; the live page's own are in components."""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from utils.emotions import UNKNOWN_COLOR, color_of
from utils.media.timeseries import face_series

WORDS = {
    "no_face": "no face in view",
    "low_quality": "face can't be read",
    "camera_off": "camera off",
    "failed": "failed",
}


def face_timeline(
    table: pd.DataFrame,
    track_id: int,
    classes: Sequence[str],
    gaps: pd.DataFrame,
    stacked: bool = True,
) -> alt.LayerChart:
    """Draw one face's probabilities over a whole recording; spans without a face are shaded.

    Args:
        table: The recording, with the columns of ``utils.media.rows``.
        track_id: Which face.
        classes: Names of the classes.
        gaps: Spans without a readable face, of ``utils.media.timeseries.find_gaps``.
        stacked: Areas on top of each other; else lines.
    """
    line = face_series(table, track_id).rename(columns={f"p_{name}": name for name in classes})
    long = line.melt("time", var_name="emotion", value_name="probability")
    end = float(table["time"].max() or 1.0)
    base = alt.Chart(long).encode(
        x=alt.X("time:Q", title=None, scale=alt.Scale(domain=[0, end], nice=False)).axis(
            grid=False, labelExpr="datum.value + ' s'", tickCount=8
        ),
        color=alt.Color("emotion:N", scale=emotion_scale(classes), legend=None),
        tooltip=[
            "emotion:N",
            alt.Tooltip("probability:Q", format=".0%"),
            alt.Tooltip("time:Q", title="seconds", format=".1f"),
        ],
    )
    height = alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, 1])).axis(
        format="%", tickCount=3
    )
    if stacked:
        drawn = base.mark_area(interpolate="linear").encode(y=height.stack("zero"))
    else:
        drawn = base.mark_line(strokeWidth=2).encode(y=height)
    words = gaps.assign(reason=gaps["reason"].map(lambda name: WORDS.get(name, name)))
    shade = (
        alt.Chart(words)
        .mark_rect(color="#888888", opacity=0.18)
        .encode(x="start:Q", x2="end:Q", tooltip=["reason:N"])
    )
    return alt.layer(shade, drawn).properties(height=150)


def share_bars(shares: Mapping[str, float]) -> alt.Chart:
    """Draw how often each answer was given, the most frequent first."""
    table = pd.DataFrame({"answer": list(shares), "share": list(shares.values())})
    names = table["answer"].tolist()
    scale = alt.Scale(domain=names, range=[color_of(name) for name in names])
    return (
        alt.Chart(table)
        .mark_bar(cornerRadius=4)
        .encode(
            y=alt.Y("answer:N", sort=names, title=None, scale=alt.Scale(paddingInner=0.35)).axis(
                ticks=False, domain=False
            ),
            x=alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, 1])).axis(
                format="%", grid=False, tickCount=3
            ),
            color=alt.Color("answer:N", scale=scale, legend=None),
            tooltip=["answer:N", alt.Tooltip("share:Q", format=".0%")],
        )
        .properties(height=alt.Step(26))
    )


def emotion_scale(classes: Sequence[str]) -> alt.Scale:
    """Return the one colour of each class."""
    return alt.Scale(domain=[*classes, "unclear"], range=[*map(color_of, classes), UNKNOWN_COLOR])


def legend(classes: Sequence[str]) -> str:
    """Return the classes with their colours as HTML, to stand once above several charts."""
    items = (
        f"<span><i class='dot' style='background:{color_of(name)}'></i>{name}</span>"
        for name in classes
    )
    return f"<p class='legend'>{''.join(items)}</p>"
