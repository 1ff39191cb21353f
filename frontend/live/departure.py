"""What happens when the viewer goes from the live page to another one."""

import streamlit as st

from frontend.live import camera_stream, recording

OFF = "Leaving the Live page switched the camera off."
SAVED = " The recording was saved to Sessions."


def announce() -> None:
    """Say that the camera was switched off, if it was, and end the recording."""
    if not camera_stream.leave():
        return
    recorded = "live" in st.session_state and recording.end(st.session_state["live"])
    st.toast(f"{OFF}{SAVED if recorded else ''}", icon=":material/videocam_off:")
