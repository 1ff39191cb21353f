"""Controls of the live video: how it is shown, and snapshots of it."""

import time as clock

import streamlit as st

from frontend.resources import Engine
from frontend.text import plain
from utils.errors import EmotionError
from utils.inference.live import LiveAnalyzer
from utils.inference.live_view import HeatOverlay, LiveView
from utils.media.image_writer import encode_png

WIDE = """<style>
.st-key-stage [data-testid="stHorizontalBlock"] { flex-direction: column; }
.st-key-stage [data-testid="stColumn"] { width: 100%; flex: 1 1 100%; }
</style>"""


def view_controls(live: LiveAnalyzer, engine: Engine) -> None:
    """Draw the switches for how the video is shown, and apply them."""
    with st.container(horizontal=True, key="view"):
        mirror = st.toggle("Mirror", live.view.mirror, key="mirror")
        hide = st.toggle(
            "Hide faces",
            live.view.hide_faces,
            help="Pixelates detected faces, here and in snapshots.",
            key="hide",
        )
        heat = st.toggle(
            "Heat map",
            live.view.heat is not None,
            help="Where the evidence for each face's expression lies (Grad-CAM).",
            key="live-heat",
        )
        if st.toggle("Wide", key="wide"):
            st.html(WIDE)
    overlay = live.view.heat if heat else None
    if heat and overlay is None:
        try:
            engine.live.classifier.check_activation_maps()
            overlay = HeatOverlay()
        except EmotionError as error:
            st.warning(plain(error))
    live.view = LiveView(mirror, hide, overlay)


@st.fragment
def snapshot_button(live: LiveAnalyzer, playing: bool) -> None:
    """Draw the button that takes a snapshot, and the one that saves it as a file."""
    with st.container(horizontal=True):
        if st.button("Snapshot", icon=":material/photo_camera:", disabled=not playing):
            image = live.displayed_frame()
            st.session_state["shot"] = None if image is None else encode_png(image)
        if shot := st.session_state.get("shot"):
            name = f"snapshot-{clock.strftime('%Y%m%d-%H%M%S')}.png"
            st.download_button("Save the snapshot", shot, name, "image/png", on_click="ignore")
