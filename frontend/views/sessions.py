"""The sessions page: recordings to look at, compare, export and delete."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import pandas as pd
import streamlit as st

from frontend import charts, components
from frontend.resources import open_store
from utils.errors import EmotionError
from utils.media.sessions import Marker, SessionInfo, SessionStore
from utils.media.timeseries import emotion_shares, face_series, find_gaps, key_moments, track_ids
from utils.settings import get_settings

MAX_PEOPLE = 8


def main() -> None:
    """Draw the page."""
    st.title("Sessions")
    try:
        settings = get_settings()
        store = open_store(settings)
        search = st.text_input("Search", placeholder="name or note", key="search")
        found = store.sessions(search)
        if not found:
            _empty(search)
            return
        chosen = _choose(found)
        if len(chosen) == 1:
            _session(store, chosen[0])
        elif len(chosen) > 1:
            _compare(store, chosen)
        _delete_everything(store)
    except EmotionError as error:
        st.error(
            f"{error}\n\nEMOTION_DATABASE_URL names the database; live video works without it."
        )
        return
    if settings.retention_days:
        st.caption(f"Recordings are deleted {settings.retention_days:g} days after they began.")


def _empty(search: str) -> None:
    if search:
        components.status_line(f"No session has “{search}” in its name or note.")
    else:
        components.status_line(
            "No sessions yet.",
            "Press Record on the Live page, or keep a video's result. They hold probabilities and "
            "times, no pictures; everyone who can open this page can see them.",
        )


def _choose(found: Sequence[SessionInfo]) -> list[SessionInfo]:
    table = pd.DataFrame(
        {
            "name": [session.name for session in found],
            "began": [session.started for session in found],
            "seconds": [session.seconds for session in found],
            "of": [session.kind for session in found],
            "note": [session.note for session in found],
        }
    )
    st.caption("Choose one to see it, several to compare them.")
    event = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="chosen",
        column_config={
            "began": st.column_config.DatetimeColumn(format="localized"),
            "seconds": st.column_config.NumberColumn(format="%.0f s"),
        },
    )
    rows = event["selection"]["rows"]
    return [found[row] for row in rows if row < len(found)]


def _session(store: SessionStore, session: SessionInfo) -> None:
    st.subheader(session.name)
    table, markers = store.table(session), store.markers(session.id)
    st.html(charts.legend(session.classes))
    people, gaps = track_ids(table)[:MAX_PEOPLE], find_gaps(table)
    if not people:
        components.status_line("No face was seen in this session.")
    for track_id in people:
        st.markdown(f"**Face {track_id}**")
        chart = charts.face_timeline(table, track_id, session.classes, gaps)
        st.altair_chart(_with_markers(chart, markers), width="stretch", key=f"line-{track_id}")
        shares, changes = st.columns([2, 3], gap="large")
        drawn = charts.share_bars(emotion_shares(table, track_id).to_dict())
        shares.altair_chart(drawn, width="stretch", key=f"shares-{track_id}")
        words = [f"{t:.1f} s: {old} → {new}" for t, old, new in key_moments(table, track_id)]
        changes.caption("Largest changes: " + ("; ".join(words) or "none"))
    if len(gaps):
        st.caption("Grey: no face in view, none that can be read, or the camera was off.")
    if markers:
        named = [(f"{marker.time:.1f} s", marker.words) for marker in markers]
        st.table(pd.DataFrame(named, columns=["at", "marker"]))
    _edit(store, session)
    _export(store, session, table)


def _with_markers(chart: alt.LayerChart, markers: Sequence[Marker]) -> alt.LayerChart:
    table = pd.DataFrame([(m.time, m.words) for m in markers], columns=["time", "words"])
    rules = (
        alt.Chart(table)
        .mark_rule(strokeDash=[4, 3], size=1.5)
        .encode(x="time:Q", tooltip=["words:N", alt.Tooltip("time:Q", format=".1f")])
    )
    return alt.LayerChart(layer=[*chart.layer, rules]).properties(height=150)


def _edit(store: SessionStore, session: SessionInfo) -> None:
    with st.form(f"edit-{session.id}"):
        name = st.text_input("Name", session.name, max_chars=200)
        note = st.text_area("Note", session.note)
        if st.form_submit_button("Save"):
            store.change(session.id, name.strip() or session.name, note)
            st.rerun()


def _export(store: SessionStore, session: SessionInfo, table: pd.DataFrame) -> None:
    with st.container(horizontal=True):
        csv, parquet = partial(table.to_csv, index=False), partial(table.to_parquet, index=False)
        st.download_button("CSV", csv, f"{session.name}.csv", "text/csv", on_click="ignore")
        st.download_button("Parquet", parquet, f"{session.name}.parquet", on_click="ignore")
        with st.popover("Delete", icon=":material/delete:"):
            st.write("Its points and markers are deleted for good.")
            if st.button("Delete this session", type="primary", key=f"delete-{session.id}"):
                store.delete([session.id])
                st.rerun()


def _compare(store: SessionStore, sessions: Sequence[SessionInfo]) -> None:
    st.subheader("Compared")
    classes = list(dict.fromkeys(name for session in sessions for name in session.classes))
    emotion = st.pills("Expression", classes, default="happy" if "happy" in classes else classes[0])
    lines = []
    for session in sessions:
        table = store.table(session)
        for track_id in track_ids(table)[:2]:
            line = face_series(table, track_id)
            if f"p_{emotion}" in line:
                named = line[["time", f"p_{emotion}"]].set_axis(["time", "probability"], axis=1)
                lines.append(named.assign(session=f"{session.name}, face {track_id}"))
    if not lines:
        components.status_line("There is nothing to compare.")
        return
    chart = (
        alt.Chart(pd.concat(lines))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("time:Q", title="seconds from the beginning"),
            y=alt.Y("probability:Q", title=emotion, scale=alt.Scale(domain=[0, 1])).axis(
                format="%"
            ),
            color=alt.Color("session:N", legend=alt.Legend(orient="bottom", labelLimit=400)),
            tooltip=["session", alt.Tooltip("probability:Q", format=".0%"), "time:Q"],
        )
        .properties(height=280)
    )
    st.altair_chart(chart, width="stretch")


def _delete_everything(store: SessionStore) -> None:
    with st.popover("Delete everything", icon=":material/delete_forever:"):
        st.write("All sessions of this server, of everyone, are deleted for good.")
        sure = st.checkbox("I am sure", key="sure")
        if st.button("Delete all sessions", type="primary", disabled=not sure):
            store.delete_all()
            st.rerun()


main()
