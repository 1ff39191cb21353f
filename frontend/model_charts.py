"""Charts and tables of the model page."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from frontend.theme import accent_color, text_color

_ZOO_COLUMNS = {
    "name": ("architecture", None),
    "millions": ("M parameters", "%.2f"),
    "epochs": ("epochs", "%d"),
    "teacher": ("teacher", None),
    "accuracy": ("FER2013", "percent"),
    "accuracy_twin_free": ("without near-duplicates", "percent"),
    "published": ("published", "%.1f%%"),
    "macro_f1": ("macro F1", "%.3f"),
    "ferplus_accuracy": ("FER+", "percent"),
    "ece": ("ECE", "percent"),
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
    base = alt.Chart(table).encode(
        x=alt.X("prediction:N", sort=list(classes)).axis(labelAngle=0, orient="top"),
        y=alt.Y("label:N", sort=list(classes)),
        tooltip=["label", "prediction", "count", alt.Tooltip("share:Q", format=".0%")],
    )
    squares = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None)
    )
    numbers = base.mark_text(fontSize=12).encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#22282E")),
    )
    chart: alt.LayerChart = alt.layer(squares, numbers).properties(height=340)
    return chart


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
        table[list(_ZOO_COLUMNS)],
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(label, format=form) if form else label
            for name, (label, form) in _ZOO_COLUMNS.items()
        },
    )
