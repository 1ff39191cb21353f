"""Recording the live page into a session, with markers."""

from datetime import datetime

import streamlit as st

from frontend.resources import open_store
from frontend.text import plain
from utils.errors import DatabaseError
from utils.inference.live import LiveAnalyzer
from utils.media.sessions import Recorder
from utils.settings import Settings

REFRESH_SECONDS = 1.0


def controls(live: LiveAnalyzer, settings: Settings, *, model: str, playing: bool) -> None:
    """Draw the record button and, while recording, the marker field and the state.

    Args:
        live: The stream to record.
        settings: For the database.
        model: Name of the model, stored with the session.
        playing: Whether the camera is on.
    """
    recorder: Recorder | None = st.session_state.get("recorder")
    with st.container(horizontal=True, vertical_alignment="bottom", key="recording"):
        if recorder is None:
            st.button(
                "Record",
                icon=":material/fiber_manual_record:",
                disabled=not playing,
                help="Saves times, boxes and probabilities to Sessions, no pictures.",
                on_click=_start,
                args=(live, settings, model),
            )
        else:
            st.button(
                "Stop recording",
                icon=":material/stop:",
                type="primary",
                on_click=_stop,
                args=(live,),
            )
            label = st.text_input(
                "Marker",
                placeholder="film starts",
                label_visibility="collapsed",
                key="marker-label",
            )
            st.button("Mark", icon=":material/flag:", on_click=_mark, args=(recorder, label))
    if error := st.session_state.pop("recording_error", None):
        st.warning(plain(error))
    if recorder is not None:
        st.fragment(_state, run_every=REFRESH_SECONDS)(recorder)
    elif done := st.session_state.pop("recorded", None):
        st.success(plain(done))


def _start(live: LiveAnalyzer, settings: Settings, model: str) -> None:
    try:
        store = open_store(settings)
        name = f"Live, {datetime.now():%d %B %Y, %H:%M}"
        classes = live.snapshot().classes
        session_id = store.create(name, "live", model=model, classes=classes)
        recorder = Recorder(store, session_id)
    except DatabaseError as error:
        st.session_state["recording_error"] = str(error)
        return
    st.session_state["recorder"] = recorder
    live.listener = recorder.put


def _stop(live: LiveAnalyzer) -> None:
    recorder: Recorder | None = st.session_state.pop("recorder", None)
    if recorder is None:  # pressed twice
        return
    live.listener = None
    recorder.stop()
    problem = f" {recorder.problem}" if recorder.problem else ""
    st.session_state["recorded"] = f"Saved {recorder.seconds:.0f} seconds to Sessions.{problem}"


def _mark(recorder: Recorder, label: str) -> None:
    try:
        recorder.mark(label.strip() or "Marker")
    except DatabaseError as error:
        st.session_state["recording_error"] = str(error)


def _state(recorder: Recorder) -> None:
    if recorder.problem:
        st.warning(f"{plain(recorder.problem)} The video continues; saving is retried.")
    minutes, seconds = divmod(int(recorder.seconds), 60)
    st.caption(f":red[●] Recording, {minutes:d}:{seconds:02d}, {recorder.frames:d} frames saved")
