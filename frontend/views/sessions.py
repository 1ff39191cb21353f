"""The sessions page: recordings to view, compare, export and delete."""

from collections.abc import Callable, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from frontend.components import notices
from frontend.components.person_charts import person_charts
from frontend.resources import open_store
from frontend.sessions.deletion import delete_all_button, delete_button, deletion_problem
from frontend.text import plain, plain_table
from utils.errors import DatabaseError, EmotionError
from utils.media.sessions import DamagedSession, Marker, SessionInfo, SessionStore, export
from utils.media.tables.rows import Row
from utils.media.timeseries import face_series, track_ids
from utils.settings import get_settings

MAX_COMPARED_FACES = 2


def main() -> None:
    """Draw the page."""
    st.title("Sessions")
    try:
        settings = get_settings()
        store = open_store(settings)
        search = st.text_input("Search", placeholder="name or note", key="search")
        sessions = store.sessions(search)
        deletion_problem()
        for damaged in store.damaged():
            _damaged(store, damaged)
        if not sessions:
            _empty(search)
            return
        chosen = _choose(sessions)
        if len(chosen) == 1:
            _session(store, chosen[0])
        elif len(chosen) > 1:
            _compare(store, chosen)
        delete_all_button(store)
    except EmotionError as error:
        st.error(f"{plain(error)}\n\nThe other pages work without it.")
        return
    if settings.retention_days:
        st.caption(f"Sessions are deleted {settings.retention_days:g} days after they start.")


def _damaged(store: SessionStore, session: DamagedSession) -> None:
    with st.container(horizontal=True):
        st.error(
            f"The {plain(session.problem)} of session “{plain(session.name)}” can't be read. "
            "Delete the session, or restore the database from a backup."
        )
        delete_button(store, session.id, name=session.name)


def _empty(search: str) -> None:
    if search:
        notices.status_line(f"No session has “{search}” in its name or note.")
    else:
        notices.status_line(
            "No sessions yet.",
            "Press Record on the Live page, or save a video's results. Sessions hold times, boxes "
            "and probabilities, no pictures. Everyone who can open this page can see them.",
        )


def _choose(sessions: Sequence[SessionInfo]) -> list[SessionInfo]:
    table = pd.DataFrame(
        {
            "name": [session.name for session in sessions],
            "started": [session.started for session in sessions],
            "length": [session.seconds for session in sessions],
            "kind": [session.kind for session in sessions],
            "note": [session.note for session in sessions],
        }
    )
    st.caption("Select one session to view it, or several to compare them.")
    ids = [session.id for session in sessions]
    chosen = st.session_state.get("chosen_ids", [])
    # Rows are selected by position: a list of other sessions is another table.
    event = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={
            "selection": {"rows": [row for row, number in enumerate(ids) if number in chosen]}
        },
        key=f"chosen-{hash(tuple(ids))}",
        column_config={
            "started": st.column_config.DatetimeColumn(format="localized"),
            "length": st.column_config.NumberColumn(format="%.0f s"),
        },
    )
    rows: list[int] = event["selection"]["rows"]
    st.session_state["chosen_ids"] = [ids[row] for row in rows]
    return [sessions[row] for row in rows]


def _session(store: SessionStore, session: SessionInfo) -> None:
    st.header(plain(session.name))
    st.caption(plain(_origin(session)))
    try:
        table, markers = store.table(session), store.markers(session.id)
    except DatabaseError as error:
        st.error(plain(error))
        delete_button(store, session.id, name=session.name)
        return
    if track_ids(table):
        person_charts(table, session.classes, markers=markers)
    else:
        notices.status_line("No face in this session.")
    if markers:
        named = [(f"{marker.time:.1f} s", marker.label) for marker in markers]
        st.table(plain_table(named, ["time", "marker"]))
    _edit(store, session)
    with st.container(horizontal=True):
        _export(session, table, markers)
        delete_button(store, session.id, name=session.name)


def _origin(session: SessionInfo) -> str:
    """Return which model and program made a session."""
    model = f"Model {session.model}, revision {session.model_revision or 'unknown'}"
    return f"{model}. Recorded by version {session.version or '0.1.0'}."


def _edit(store: SessionStore, session: SessionInfo) -> None:
    with st.form(f"edit-{session.id}"):
        name = st.text_input("Name", session.name, max_chars=200)
        note = st.text_area("Note", session.note)
        if st.form_submit_button("Save"):
            store.edit(session.id, name=name.strip() or session.name, note=note)
            st.rerun()


def _export(session: SessionInfo, table: pd.DataFrame, markers: Sequence[Marker]) -> None:
    def rows() -> list[Row]:
        return export.session_rows(table, markers)

    classes, name = session.classes, session.name
    files: dict[str, Callable[[], str | bytes]] = {
        "CSV": lambda: export.as_csv(rows(), classes),
        "JSON": lambda: export.as_json(session, markers, rows()),
        "Parquet": lambda: export.as_parquet(rows(), classes),
    }
    for kind, write in files.items():
        st.download_button(plain(kind), write, f"{name}.{kind.lower()}", on_click="ignore")


def _compare(store: SessionStore, sessions: Sequence[SessionInfo]) -> None:
    st.header("Comparison")
    classes = list(dict.fromkeys(name for session in sessions for name in session.classes))
    default = "happy" if "happy" in classes else classes[0]
    emotion = st.pills("Expression", classes, default=default, format_func=plain)
    lines = [line for session in sessions for line in _lines(store, session, f"p_{emotion}")]
    if not lines:
        notices.status_line("There is nothing to compare.")
        return
    chart = (
        alt.Chart(pd.concat(lines))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("time:Q", title="seconds from the start"),
            y=alt.Y("probability:Q", title=emotion, scale=alt.Scale(domain=[0, 1])).axis(
                format="%"
            ),
            color=alt.Color(
                "session:N", legend=alt.Legend(orient="bottom", columns=1, labelLimit=400)
            ),
            tooltip=["session", alt.Tooltip("probability:Q", format=".0%"), "time:Q"],
        )
        .properties(height=240 + 18 * len(lines))  # Streamlit counts the legend in
    )
    st.altair_chart(chart, width="stretch")


def _lines(store: SessionStore, session: SessionInfo, column: str) -> list[pd.DataFrame]:
    """Return one table per face: time, probability and the line's name."""
    try:
        table = store.table(session)
    except DatabaseError as error:
        st.error(plain(error))
        return []
    if column not in table:
        return []
    return [
        face_series(table, track_id)[["time", column]]
        .set_axis(["time", "probability"], axis=1)
        .assign(session=f"{session.name}, face {track_id}")
        for track_id in track_ids(table)[:MAX_COMPARED_FACES]
    ]


main()
