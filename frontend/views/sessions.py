"""The sessions page: recordings to view, compare, export and delete."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from frontend.clock import viewer_zone
from frontend.components import notices
from frontend.components.person_charts import Recording, recording_charts
from frontend.resources import open_store
from frontend.sessions.comparison import comparison
from frontend.sessions.deletion import delete_all_button, delete_button, deletion_problem
from frontend.sessions.link import linked_sessions
from frontend.text import plain, plain_table
from utils.errors import DatabaseError, EmotionError
from utils.media.figures.timecode import timecode
from utils.media.sessions import DamagedSession, Marker, SessionInfo, SessionStore, export
from utils.media.tables.rows import Row
from utils.media.timeseries import track_ids
from utils.settings import get_settings


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
            comparison(store, chosen)
        _foot(store, settings.retention_days)
    except EmotionError as error:
        st.error(f"{plain(error)}\n\nThe other pages work without it.")


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
    zone = viewer_zone()
    table = pd.DataFrame(
        {
            "name": [session.name for session in sessions],
            "started": [s.started.astimezone(zone).replace(tzinfo=None) for s in sessions],
            "length": [timecode(session.seconds) for session in sessions],
            "kind": [session.kind for session in sessions],
            "note": [session.note for session in sessions],
        }
    )
    st.caption("Select one session to view it, or several to compare them.")
    ids = [session.id for session in sessions]
    chosen = st.session_state.setdefault("chosen_ids", linked_sessions())
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
        column_config={"started": st.column_config.DatetimeColumn(format="localized")},
        alt="Sessions",
    )
    rows: list[int] = event["selection"]["rows"]
    st.session_state["chosen_ids"] = [ids[row] for row in rows]
    return [sessions[row] for row in rows]


def _session(store: SessionStore, session: SessionInfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(session.name), width="content")
        _rename(store, session)
    if session.note:
        st.markdown(plain(session.note))
    st.caption(plain(_origin(session)))
    try:
        table, markers = store.table(session), store.markers(session.id)
    except DatabaseError as error:
        st.error(plain(error))
        delete_button(store, session.id, name=session.name)
        return

    def name(track_id: int, text: str) -> None:
        store.edit(session.id, names={**session.names, track_id: text})

    if track_ids(table):
        recording = Recording(str(session.id), table, session.classes, markers, names=session.names)
        recording_charts(recording, stacked=True, on_name=name)
    else:
        notices.status_line("No face in this session.")
    if markers:
        named = [(timecode(marker.time, tenths=True), marker.label) for marker in markers]
        st.table(plain_table(named, ["time", "marker"]))
    with st.container(horizontal=True):
        _export(session, table, markers)
        delete_button(store, session.id, name=session.name)


def _origin(session: SessionInfo) -> str:
    """Return which model and program made a session."""
    model = f"Model {session.model}, revision {session.model_revision or 'unknown'}"
    return f"{model}. Recorded by version {session.version or '0.1.0'}."


def _rename(store: SessionStore, session: SessionInfo) -> None:
    with (
        st.popover("Name and note", icon=":material/edit:"),
        st.form(f"edit-{session.id}", border=False),
    ):
        name = st.text_input("Name", session.name, max_chars=200)
        note = st.text_area("Note", session.note)
        if st.form_submit_button("Save"):
            store.edit(session.id, name=name.strip() or session.name, note=note)
            st.rerun()


def _export(session: SessionInfo, table: pd.DataFrame, markers: Sequence[Marker]) -> None:
    zone, columns = viewer_zone(), export.session_columns(session.classes)

    def rows() -> list[Row]:
        return export.session_rows(table, markers, session.names)

    files: dict[str, tuple[str, Callable[[], str | bytes]]] = {
        "report": ("html", lambda: export.as_html(session, markers, table, zone=zone)),
        "CSV": ("csv", lambda: export.as_csv(rows(), columns)),
        "JSON": ("json", lambda: export.as_json(session, markers, rows())),
        "Parquet": ("parquet", lambda: export.as_parquet(rows(), columns)),
    }
    for kind, (suffix, write) in files.items():
        file = f"{session.name}.{suffix}"
        st.download_button(f"Download {plain(kind)}", write, file, on_click="ignore")


def _foot(store: SessionStore, retention_days: float | None) -> None:
    st.divider()
    delete_all_button(store)
    if retention_days:
        st.caption(f"Sessions are deleted {retention_days:g} days after they start.")


main()
