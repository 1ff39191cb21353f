"""The table of a batch's faces, and its filters."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from frontend.batch.analysis import Batch
from frontend.components import charts
from frontend.text import plain, visible
from utils.media.tables.rows import rows
from utils.media.timeseries import emotion_shares
from utils.results import Status

_ALL = "all"
_KINDS = {
    _ALL: "All",
    Status.OK.value: "Certain",
    Status.UNCERTAIN.value: "Uncertain",
    Status.LOW_QUALITY.value: "Can't classify",
}
_SHOWN = ["thumbnail", "image", "emotion", "confidence", "status", "reason"]


def batch_table(batch: Batch) -> pd.DataFrame:
    """Return a row for each face, and one for each picture without.

    Beside what is shown, ``outcome`` is the index of the picture, ``face`` the face's number in it.
    """
    records = [
        row | {"outcome": index, "thumbnail": batch.thumbnails.get((index, row.get("face") or 0))}
        for index, outcome in enumerate(batch.outcomes)
        for row in rows(outcome)
    ]
    table = pd.DataFrame(records).reindex(columns=[*_SHOWN, "face", "outcome"])
    table = table.fillna({"reason": "", "emotion": ""})
    return table.assign(image=table["image"].map(visible), reason=table["reason"].map(visible))


def filtered(faces: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Draw the filters and the shares of the expressions; return the faces that pass the filters.

    Args:
        faces: Rows of :func:`batch_table` that have a face.
        classes: Names of the classes.
    """
    counts = faces["status"].value_counts().to_dict() | {_ALL: len(faces)}
    kinds = [kind for kind in _KINDS if kind in counts]
    kind = st.segmented_control(
        "Predictions",
        kinds,
        default=_ALL,
        format_func=lambda kind: plain(f"{_KINDS[kind]} ({counts[kind]})"),
        key="kind",
        wrap=True,
    )
    wanted = st.pills(
        "Expression", classes, selection_mode="multi", format_func=plain, key="wanted", wrap=True
    )
    least = st.slider("Minimum confidence", 0, 100, 0, format="%d%%", key="least")
    # Pictures have no tracks: all faces are counted together.
    shares = emotion_shares(faces.assign(track_id=0), 0)
    st.caption("Share of the expressions")
    st.altair_chart(charts.share_bars(shares), width="stretch")
    kept = faces["confidence"] >= least / 100
    if wanted:
        kept &= faces["emotion"].isin(wanted)
    if kind in counts and kind != _ALL:
        kept &= faces["status"] == kind
    return faces[kept]


def show_table(table: pd.DataFrame) -> tuple[int, int] | None:
    """Show the rows; return the picture's index and the face's number of the selected one."""
    columns = [name for name in _SHOWN if table[name].notna().any() and (table[name] != "").any()]
    if set(table["status"]) <= {Status.OK.value}:
        columns = [name for name in columns if name != "status"]
    event = st.dataframe(
        table[columns].assign(confidence=100 * table["confidence"])[columns],
        hide_index=True,
        row_height=56,
        on_select="rerun",
        selection_mode="single-row",
        key="faces",
        column_config={
            "thumbnail": st.column_config.ImageColumn("face", width="small"),
            "image": "picture",
            "confidence": st.column_config.ProgressColumn(format="%.0f%%", max_value=100),
        },
    )
    selected: list[int] = [row for row in event["selection"]["rows"] if row < len(table)]
    if not selected:
        return None
    row = table.iloc[selected[0]]
    return int(row["outcome"]), 0 if pd.isna(row["face"]) else int(row["face"])
