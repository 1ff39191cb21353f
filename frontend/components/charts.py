"""Charts: probabilities over time, shares of expressions, and their one colour scale."""

from collections.abc import Mapping, Sequence
from html import escape

import altair as alt
import pandas as pd

from frontend.theme import chart_color
from utils.emotions import css_color
from utils.media.video_summary import UNCERTAIN

TIMELINE_HEIGHT = 150


def emotion_scale(classes: Sequence[str]) -> alt.Scale:
    """Return the one colour of each class; those of ``UNCERTAIN`` and of other classes are grey."""
    names = list(dict.fromkeys([*classes, UNCERTAIN]))
    return alt.Scale(domain=names, range=[chart_color(name) for name in names])


def legend(classes: Sequence[str]) -> str:
    """Return the classes with their colours as HTML, to stand once above several charts."""
    items = (
        f"<span><i class='dot' style='background:{css_color(name)}'></i>{escape(name)}</span>"
        for name in classes
    )
    return f"<p class='legend'>{''.join(items)}</p>"


def probability_chart(
    series: pd.DataFrame,
    classes: Sequence[str],
    *,
    span: tuple[float, float],
    stacked: bool = False,
) -> alt.Chart:
    """Draw one face's probabilities over time.

    Args:
        series: One face's rows, of ``utils.media.timeseries.face_series``; lines break at rows
            without probabilities.
        classes: Names of the classes.
        span: First and last second of the time axis.
        stacked: Draw areas on top of each other; else lines.
    """
    line = series.rename(columns={f"p_{name}": name for name in classes})
    long = line.melt("time", var_name="emotion", value_name="probability")
    base = alt.Chart(long).encode(
        x=alt.X("time:Q", title=None, scale=alt.Scale(domain=list(span), nice=False)).axis(
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
        marked, height = base.mark_area(interpolate="linear"), height.stack("zero")
    else:
        marked = base.mark_line(strokeWidth=2, interpolate="linear")
    chart: alt.Chart = marked.encode(y=height).properties(height=TIMELINE_HEIGHT)
    return chart


def share_bars(shares: Mapping[str, float]) -> alt.Chart:
    """Draw the share of each expression, the most frequent first."""
    names = list(shares)
    table = pd.DataFrame({"expression": names, "share": list(shares.values())})
    chart: alt.Chart = (
        alt.Chart(table)
        .mark_bar(cornerRadius=4)
        .encode(
            y=alt.Y(
                "expression:N", sort=names, title=None, scale=alt.Scale(paddingInner=0.35)
            ).axis(ticks=False, domain=False),
            x=alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, 1])).axis(
                format="%", grid=False, tickCount=3
            ),
            color=alt.Color("expression:N", scale=emotion_scale(names), legend=None),
            tooltip=["expression:N", alt.Tooltip("share:Q", format=".0%")],
        )
        .properties(height=alt.Step(26))
    )
    return chart
