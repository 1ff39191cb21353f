"""Charts and tables of the model page."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from frontend.theme import accent_color, text_color
from utils.evaluation.chart_data import ConfidenceBin, CoveragePoint
from utils.evaluation.results import RobustnessRow

# Opacity of a cell of the confusion matrix, on which the page's text can still be read.
DENSEST_CELL = 0.5
_PERCENT = "%.1f%%"
# Shares in 0..1; what is published comes as percent.
_SHARES = ("accuracy", "accuracy_twin_free", "ferplus_accuracy", "ece")
_ZOO_COLUMNS = {
    "name": ("architecture", None),
    "millions": ("M parameters", "%.2f"),
    "epochs": ("epochs", "%d"),
    "teacher": ("teacher", None),
    "accuracy": ("FER2013", _PERCENT),
    "accuracy_twin_free": ("without near-duplicates", _PERCENT),
    "published": ("published", _PERCENT),
    "macro_f1": ("macro F1", "%.3f"),
    "ferplus_accuracy": ("FER+", _PERCENT),
    "ece": ("ECE", _PERCENT),
    "ms": ("ms per face", "%.1f"),
}


def confusion_chart(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> alt.LayerChart:
    """Draw a confusion matrix with the share of each labelled class.

    Args:
        counts: ``counts[i][j]`` faces labelled as class ``i`` were predicted as class ``j``.
        classes: Names of the classes.
    """
    shares = np.array(counts) / np.maximum(np.array(counts).sum(1, keepdims=True), 1)
    table = pd.DataFrame(
        [
            (label, prediction, counts[i][j], shares[i, j])
            for i, label in enumerate(classes)
            for j, prediction in enumerate(classes)
        ],
        columns=["label", "prediction", "count", "share"],
    )
    hovered = alt.selection_point(on="pointerover", fields=["label"])
    base = alt.Chart(table).encode(
        x=alt.X("prediction:N", sort=list(classes)).axis(labelAngle=-40, orient="top"),
        y=alt.Y("label:N", sort=list(classes)),
        tooltip=["label", "prediction", "count", alt.Tooltip("share:Q", format=".0%")],
    )
    squares = base.mark_rect(cornerRadius=3, color=accent_color()).encode(
        # The text of the page can be read on it up to this opacity, in both themes.
        opacity=alt.Opacity(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, DENSEST_CELL]), legend=None
        )
    )
    numbers = base.mark_text(fontSize=12, color=text_color()).encode(
        text=alt.Text("share:Q", format=".0%"),
        opacity=alt.condition(hovered, alt.value(1), alt.value(0.35)),
    )
    chart: alt.LayerChart = alt.layer(squares, numbers.add_params(hovered)).properties(height=340)
    return chart


def reliability_chart(bins: Sequence[ConfidenceBin]) -> alt.LayerChart:
    """Draw accuracy against confidence; a calibrated model lies on the diagonal.

    Args:
        bins: Predictions of similar confidence, by rising confidence.
    """
    table = pd.DataFrame([row.model_dump() for row in bins])
    whole = alt.Scale(domain=[0, 1])
    base = alt.Chart(table).encode(
        x=alt.X("confidence:Q", scale=whole).axis(format="%", tickCount=5),
        y=alt.Y("accuracy:Q", scale=whole).axis(format="%", tickCount=5),
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}))
        .mark_line(color=text_color(), strokeDash=[4, 4], strokeWidth=1)
        .encode(x="confidence:Q", y="accuracy:Q")
    )
    points = base.mark_circle(color=accent_color(), opacity=1).encode(
        size=alt.Size("count:Q", legend=None).scale(range=[30, 400]),
        tooltip=[_percent("confidence"), _percent("accuracy"), "count:Q"],
    )
    line = base.mark_line(color=accent_color(), strokeWidth=2)
    chart: alt.LayerChart = alt.layer(diagonal, line, points).properties(height=360)
    return chart


def coverage_chart(points: Sequence[CoveragePoint], certain: float) -> alt.LayerChart:
    """Draw how accuracy rises when the least confident predictions are left out.

    Args:
        points: By rising coverage.
        certain: Share of the predictions that are not marked as uncertain.
    """
    table = pd.DataFrame([row.model_dump() for row in points])
    nearest = alt.selection_point(on="pointerover", nearest=True, fields=["coverage"], empty=False)
    base = alt.Chart(table).encode(
        x=alt.X("coverage:Q", title="predictions kept, the most confident first").axis(
            format="%", tickCount=5
        ),
        y=alt.Y("accuracy:Q", scale=alt.Scale(zero=False)).axis(format="%"),
        tooltip=[alt.Tooltip("coverage:Q", title="kept", format=".0%"), _percent("accuracy")],
    )
    line = base.mark_line(color=accent_color(), strokeWidth=2)
    hovered = base.mark_point(color=accent_color(), filled=True, size=80).encode(
        opacity=alt.condition(nearest, alt.value(1), alt.value(0))
    )
    kept = pd.DataFrame({"coverage": [certain], "text": ["not uncertain"]})
    rule = alt.Chart(kept).mark_rule(color=text_color(), strokeDash=[4, 4]).encode(x="coverage:Q")
    name = (
        alt.Chart(kept)
        .mark_text(color=text_color(), align="right", dx=-5, y=10)
        .encode(x="coverage:Q", text="text:N")
    )
    layers = (rule, name, line, hovered.add_params(nearest))
    chart: alt.LayerChart = alt.layer(*layers).properties(height=360)
    return chart


def robustness_chart(rows: Sequence[RobustnessRow]) -> alt.LayerChart:
    """Draw the points of accuracy that each corruption costs.

    Args:
        rows: One for each corruption.
    """
    table = pd.DataFrame(
        [(row.name, row.accuracy, 100 * row.drop) for row in rows],
        columns=["name", "accuracy", "points"],
    )
    base = alt.Chart(table).encode(
        y=alt.Y("name:N", sort="-x", title=None, scale=alt.Scale(paddingInner=0.35)).axis(
            ticks=False, domain=False
        ),
        x=alt.X("points:Q", title="points of accuracy lost").axis(grid=False, tickCount=5),
        tooltip=["name:N", _percent("accuracy"), alt.Tooltip("points:Q", format=".1f")],
    )
    bars = base.mark_bar(cornerRadius=4, color=accent_color())
    numbers = base.mark_text(align="left", dx=5, color=text_color()).encode(
        text=alt.Text("points:Q", format=".1f")
    )
    chart: alt.LayerChart = alt.layer(bars, numbers).properties(height=alt.Step(26))
    return chart


def _percent(field: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:Q", format=".1%")


def zoo_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the comparison in ``model/zoo.json`` as a table for the functions below."""
    table = pd.DataFrame([{"teacher": False} | row for row in rows])
    return table.assign(millions=table["parameters"] / 1e6)


def zoo_chart(table: pd.DataFrame) -> alt.LayerChart:
    """Draw accuracy against time per face; areas stand for numbers of parameters."""
    # Neighbours in accuracy have their names on different sides of their points.
    table = table.assign(above=table.index % 2 == 1)
    times = alt.Scale(domain=[0, 1.15 * float(table["ms"].max())])  # room for the last name
    base = alt.Chart(table).encode(
        x=alt.X("ms:Q", title="milliseconds per face", scale=times).axis(tickCount=10),
        y=alt.Y(
            "accuracy:Q", title="accuracy on FER2013's test labels", scale=alt.Scale(zero=False)
        ).axis(format="%"),
        tooltip=[
            "name",
            alt.Tooltip("accuracy", format=".1%"),
            alt.Tooltip("ms", format=".1f"),
            alt.Tooltip("millions", format=".2f"),
        ],
    )
    points = base.mark_circle(color=accent_color()).encode(
        size=alt.Size("millions:Q", title="million parameters").legend(orient="bottom")
    )
    names = base.encode(text="name")
    color = text_color()
    above = names.transform_filter("datum.above").mark_text(align="left", dx=9, dy=-8, color=color)
    below = names.transform_filter("!datum.above").mark_text(align="left", dx=9, dy=9, color=color)
    chart: alt.LayerChart = alt.layer(points, above, below).properties(height=380)
    return chart


def show_zoo_table(table: pd.DataFrame) -> None:
    """Show the comparison's figures."""
    st.dataframe(
        table[list(_ZOO_COLUMNS)].assign(**{name: 100 * table[name] for name in _SHARES}),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(label, format=form) if form else label
            for name, (label, form) in _ZOO_COLUMNS.items()
        },
    )
