"""Switches for how the live video is shown."""

import streamlit as st

from frontend.live.faces import ALL_BARS
from frontend.resources import Engine
from frontend.text import plain
from utils.errors import EmotionError
from utils.inference.live import LiveAnalyzer
from utils.inference.live_view import HeatOverlay, LiveView

WIDE = """<style>
.st-key-stage [data-testid="stHorizontalBlock"] { flex-direction: column; }
.st-key-stage [data-testid="stColumn"] { width: 100%; flex: 1 1 100%; }
</style>"""


def switches(live: LiveAnalyzer, engine: Engine) -> None:
    """Draw the switches for how video and bars are shown, and apply them."""
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
        st.toggle("All bars", key=ALL_BARS, help="Show all expressions, not only the top three.")
        if st.toggle("Wide", key="wide", help="The video over the whole width of the page."):
            st.html(WIDE)
    overlay = live.view.heat if heat else None
    if heat and overlay is None:
        try:
            engine.live.classifier.check_activation_maps()
            overlay = HeatOverlay()
        except EmotionError as error:
            st.warning(plain(error))
    live.view = LiveView(mirror, hide, overlay)
