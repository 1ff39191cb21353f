"""The last half minute: a chart for each person in view."""

import streamlit as st

from frontend.components import charts
from frontend.live.faces import MAX_FACES
from utils.inference.history_table import history_table
from utils.inference.live import LiveAnalyzer
from utils.media.timeseries import face_series, track_ids

TIMELINE_SECONDS = 30.0


def timelines(live: LiveAnalyzer) -> None:
    """Draw the charts, with one legend above them."""
    snapshot = live.snapshot()
    table = history_table(snapshot.history, snapshot.classes, seconds=TIMELINE_SECONDS)
    people = track_ids(table)
    if people:
        st.html(charts.legend(snapshot.classes))
    for track_id in people[-MAX_FACES:]:
        st.caption(f"Face {track_id:d}, the last {TIMELINE_SECONDS:.0f} seconds")
        chart = charts.probability_chart(
            face_series(table, track_id), snapshot.classes, span=(-TIMELINE_SECONDS, 0.0)
        )
        st.altair_chart(chart, width="stretch", key=f"timeline-{track_id}")
