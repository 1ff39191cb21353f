"""Markers on the live page: keys 1 to 9 for names that were set before, and where markers go."""

import streamlit as st

from frontend.text import plain, visible
from utils.inference.live import LiveAnalyzer
from utils.media.sessions import Recorder

_MAX_KEYS = 9
_NAMES, _KEPT_NAMES = "marker-names", "kept-marker-names"


@st.fragment
def keys(live: LiveAnalyzer) -> None:
    """Draw the field for the names of the keys, and a button for each that the key presses."""
    # Streamlit forgets the value of a widget while another page is shown.
    text = st.session_state.setdefault(_NAMES, st.session_state.get(_KEPT_NAMES, ""))
    with st.container(horizontal=True, key="marker-keys"):
        for number, name in enumerate(_names(text), 1):
            if st.button(plain(name), shortcut=str(number), key=f"marker-{number}"):
                st.toast(plain(mark(live, name)), icon=":material/flag:")
    with st.expander("Marker keys", icon=":material/keyboard:"):
        st.session_state[_KEPT_NAMES] = st.text_area(
            "Markers of the keys 1 to 9, one per line",
            placeholder="film starts\nfilm ends",
            key=_NAMES,
        )


def mark(live: LiveAnalyzer, label: str, *, ago: float = 0.0) -> str:
    """Set a marker in the recording and in what other programs receive.

    Args:
        live: The stream.
        label: Its text.
        ago: How many seconds ago the moment was.

    Returns:
        A sentence about what became of it.
    """
    recorder: Recorder | None = st.session_state.get("recorder")
    outputs = live.outputs
    if recorder is None and (outputs is None or outputs.closed):
        return f"Not marked: {label}. Press Record first."
    if outputs is not None:
        outputs.mark(label, ago=ago)
    if recorder is not None:
        age_ms = live.snapshot().stats.result_age_ms or 0.0
        recorder.mark(label, after=age_ms / 1000 - ago)
    return f"Marked: {label}"


def _names(text: str) -> list[str]:
    return [visible(line) for line in text.splitlines() if line.strip()][:_MAX_KEYS]
