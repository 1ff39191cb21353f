"""One person's charts over a recording, as the Video and the Sessions page show them."""

from collections.abc import Callable, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from frontend.components import charts
from frontend.text import plain
from utils.media.sessions import Marker
from utils.media.timeseries import emotion_shares, face_series, find_gaps, key_moments, track_ids

MAX_PEOPLE = 8


def people_in(table: pd.DataFrame) -> list[int]:
    """Return the ``track_id`` of each face that gets charts, in order."""
    return track_ids(table)[:MAX_PEOPLE]


def person_charts(
    table: pd.DataFrame,
    classes: Sequence[str],
    *,
    markers: Sequence[Marker] = (),
    stacked: bool = True,
    on_moment: Callable[[float], None] | None = None,
) -> None:
    """Draw a timeline, the shares of the expressions and the largest changes of each face.

    Args:
        table: The recording, with the columns of ``utils.media.tables.rows``.
        classes: Names of the classes.
        markers: Drawn as rules across the timelines.
        stacked: Draw areas on top of each other; else lines.
        on_moment: Called with the seconds of a change that the user presses. None shows the changes
            as text.
    """
    gaps, span = find_gaps(table), (0.0, float(table["time"].max() or 1.0))
    st.html(charts.legend(classes))
    for track_id in people_in(table):
        st.header(f"Face {track_id:d}")
        series = face_series(table, track_id)
        chart = alt.layer(
            charts.gap_shading(gaps),
            charts.probability_chart(series, classes, span=span, stacked=stacked),
            charts.marker_rules(markers),
        )
        st.altair_chart(chart, width="stretch", key=f"line-{track_id}")
        shares, changes = st.columns([2, 3], gap="large")
        bars = charts.share_bars(emotion_shares(table, track_id))
        shares.altair_chart(bars, width="stretch", key=f"shares-{track_id}")
        with changes:
            _key_moments(key_moments(table, track_id), track_id, on_moment=on_moment)
    if (faces := len(track_ids(table))) > MAX_PEOPLE:
        st.caption(f"Charts of the first {MAX_PEOPLE} of {faces:d} faces.")
    if len(gaps):
        st.caption("Grey: no face in view, a face that can't be classified, or camera off.")


def _key_moments(
    moments: Sequence[tuple[float, str, str]],
    track_id: int,
    *,
    on_moment: Callable[[float], None] | None,
) -> None:
    if not moments:
        st.caption("No change of expression.")
        return
    texts = [(time, f"{time:.1f} s: {before} → {after}") for time, before, after in moments]
    if on_moment is None:
        st.caption(plain("Largest changes: " + "; ".join(text for _, text in texts)))
        return
    st.caption("Largest changes. Select one to play the video from there.")
    with st.container(horizontal=True):
        for time, text in texts:
            if st.button(plain(text), key=f"moment-{track_id}-{time}"):
                on_moment(time)
                st.rerun()
