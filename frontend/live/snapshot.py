"""The button that downloads the live video's picture of the moment."""

import base64
import time as clock
from pathlib import Path

import streamlit as st

from utils.inference.live import LiveAnalyzer
from utils.media.image_writer import encode_png

# Streamlit's own button would prepare a picture before it is pressed, or lose a deferred one: files
# are deleted when fragments run again, which they do several times a second here.
_file = st.components.v2.component(
    "snapshot", js=Path(__file__).with_name("snapshot.js").read_text(encoding="utf-8")
)


@st.fragment
def snapshot_button(live: LiveAnalyzer, *, playing: bool) -> None:
    """Draw the button.

    Args:
        live: The stream.
        playing: Whether the camera is on.
    """
    pressed = st.button(
        "Snapshot",
        icon=":material/photo_camera:",
        disabled=not playing,
        help="Downloads the picture as it is shown.",
    )
    if pressed and (image := live.displayed_frame()) is not None:
        with st.container(key="snapshot-file"):
            content = base64.b64encode(encode_png(image)).decode("ascii")
            name = f"snapshot-{clock.strftime('%Y%m%d-%H%M%S')}.png"
            _file(key="snapshot", data={"name": name, "content": content, "taken": clock.time()})
