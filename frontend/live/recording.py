"""Recording the live page into a session, with markers."""

from datetime import datetime

import streamlit as st

from frontend.clock import viewer_zone
from frontend.live import markers
from frontend.resources import open_store
from frontend.text import plain
from utils.errors import DatabaseError
from utils.inference.live import LiveAnalyzer
from utils.media.sessions import Recorder
from utils.model.spec import ModelSpec
from utils.settings import Settings

REFRESH_SECONDS = 1.0
SESSIONS_PAGE = "views/sessions.py"
_LABEL = "marker-label"


def record_button(
    live: LiveAnalyzer, settings: Settings, *, spec: ModelSpec, playing: bool
) -> None:
    """Draw the button that starts or ends a recording.

    Args:
        live: The stream to record.
        settings: For the database.
        spec: The model; what identifies it is stored with the session.
        playing: Whether the camera is on. A recording ends with the video.
    """
    if not playing:
        end(live)
    if _running() is None:
        st.button(
            "Record",
            icon=":material/fiber_manual_record:",
            disabled=not playing,
            help="Saves times, boxes and probabilities to Sessions, no pictures.",
            on_click=_start,
            args=(live, settings, spec),
        )
    else:
        st.button(
            "Stop recording", icon=":material/stop:", type="primary", on_click=_stop, args=(live,)
        )


def state(live: LiveAnalyzer) -> None:
    """Draw how far the recording is and the field for markers, or what became of it."""
    if error := st.session_state.pop("recording_error", None):
        st.warning(plain(error))
    recorder = _running()
    if recorder is not None:
        with (
            st.form("marker", clear_on_submit=True, border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            st.text_input(
                "Marker", placeholder="film starts", label_visibility="collapsed", key=_LABEL
            )
            st.form_submit_button("Mark", icon=":material/flag:", on_click=_mark, args=(live,))
        st.fragment(_state, run_every=REFRESH_SECONDS)(recorder)
    elif stopped := st.session_state.get("stopped_recorder"):
        refresh = REFRESH_SECONDS if stopped.saving else None
        st.fragment(_stopped_state, run_every=refresh)(stopped, refreshed=refresh is not None)


def end(live: LiveAnalyzer) -> bool:
    """End the recording, if there is one; return whether there was."""
    recorder: Recorder | None = st.session_state.pop("recorder", None)
    if recorder is None:
        return False
    live.listener = None
    recorder.stop()
    st.session_state["stopped_recorder"] = recorder
    return True


def _running() -> Recorder | None:
    return st.session_state.get("recorder")


def _start(live: LiveAnalyzer, settings: Settings, spec: ModelSpec) -> None:
    if _running() is not None:  # pressed twice, before the page showed it
        return
    try:
        store = open_store(settings)
        session_id = store.create(
            f"Live, {datetime.now(viewer_zone()):%d %B %Y, %H:%M}",
            "live",
            model=spec.model,
            classes=spec.classes,
            model_revision=spec.revision,
        )
    except DatabaseError as error:
        st.session_state["recording_error"] = str(error)
        return
    recorder = Recorder(store, session_id)
    st.session_state["recorder"] = recorder
    st.session_state.pop("stopped_recorder", None)
    live.listener = recorder.put


def _stop(live: LiveAnalyzer) -> None:
    end(live)


def _mark(live: LiveAnalyzer) -> None:
    # What was typed last: an argument would be that of the run that drew the button.
    label = st.session_state[_LABEL].strip()
    st.toast(plain(markers.mark(live, label or "Marker")), icon=":material/flag:")


def _state(recorder: Recorder) -> None:
    if recorder.problem:
        st.warning(f"{plain(recorder.problem)} The video continues. {plain(_waiting(recorder))}")
    minutes, seconds = divmod(int(recorder.seconds), 60)
    st.caption(f":red[●] Recording, {minutes:d}:{seconds:02d}, {recorder.frames:d} frames saved")


def _stopped_state(recorder: Recorder, *, refreshed: bool) -> None:
    if refreshed and not recorder.saving:
        st.rerun()
    if recorder.waiting:
        st.warning(f"{plain(recorder.problem or '')} {plain(_waiting(recorder))}")
    elif recorder.problem:
        st.warning(plain(recorder.problem))
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.success(f"Saved {recorder.seconds:.0f} seconds to Sessions.")
            if st.button("Open the recording", icon=":material/history:"):
                st.session_state["chosen_ids"] = [recorder.session_id]
                st.switch_page(SESSIONS_PAGE)


def _waiting(recorder: Recorder) -> str:
    """Return what becomes of the frames that are not saved yet, as a sentence."""
    if not recorder.waiting:
        return ""
    fate = "wait; saving is retried" if recorder.saving else "were not saved"
    return f"{recorder.waiting} frames and markers {fate}."
