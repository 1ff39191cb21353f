"""A video for the viewer, whose start and end become markers on the time axis of their face."""

import time as clock
from pathlib import Path
from typing import Literal

import streamlit as st
from pydantic import BaseModel, ValidationError

from frontend.live import markers
from frontend.text import plain, visible
from utils.inference.live import LiveAnalyzer

# The browser's clock is taken for the server's if they differ by less than this.
_SAME_CLOCK_SECONDS = 2.0
_MAX_NAME = 100

_player = st.components.v2.component(
    "stimulus",
    html="""
        <input type="file" accept="video/*" aria-label="Video file">
        <video controls hidden></video>
    """,
    css="input { color: inherit; font: inherit; margin-bottom: 0.5rem } video { width: 100% }",
    js=Path(__file__).with_name("stimulus.js").read_text(encoding="utf-8"),
)


class PlayerEvent(BaseModel):
    """What the player reports.

    Attributes:
        kind: ``plays``, ``pauses``, ``jumps`` or ``ends``.
        name: Name of the file.
        position: Seconds since the beginning of the video.
        at: When it happened, in milliseconds since 1970 by the browser's clock.
    """

    kind: Literal["plays", "pauses", "jumps", "ends"]
    name: str
    position: float
    at: float

    @property
    def label(self) -> str:
        """The text of the marker: ``clip.mp4 starts``, ``clip.mp4 pauses at 12.3 s``."""
        name = visible(self.name)[:_MAX_NAME]
        if self.kind == "plays" and self.position < 0.5:
            return f"{name} starts"
        if self.kind == "ends":
            return f"{name} ends"
        words = {"plays": "continues at", "pauses": "pauses at", "jumps": "jumps to"}
        return f"{name} {words[self.kind]} {self.position:.1f} s"

    @property
    def age(self) -> float:
        """Seconds since it happened; 0 if the browser's clock differs from the server's."""
        seconds = clock.time() - self.at / 1000
        return seconds if 0 <= seconds < _SAME_CLOCK_SECONDS else 0.0


@st.fragment
def player(live: LiveAnalyzer) -> None:
    """Draw the player, and set a marker when the video starts, pauses, jumps or ends."""
    with st.expander("Show a video", icon=":material/movie:"):
        st.caption(
            "Its start and end become markers of the recording, and of what other programs "
            "receive. The video stays on your computer."
        )
        event = _player(key="stimulus", on_event_change=lambda: None).event
        if event is not None:
            st.caption(plain(_mark(live, event)))


def _mark(live: LiveAnalyzer, event: object) -> str:
    try:
        reported = PlayerEvent.model_validate(event)
    except ValidationError:  # only a browser that was tampered with sends this
        return ""
    return markers.mark(live, reported.label, ago=reported.age)
