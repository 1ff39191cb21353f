"""The faces of the moment: a sentence about the stream, and a card for each face."""

import streamlit as st

from frontend.components import cards, notices
from frontend.live import baseline
from frontend.live.camera_stream import CameraState
from frontend.text import plain
from utils.inference.live import LiveAnalyzer
from utils.inference.timeline import LiveSnapshot
from utils.results import FrameResult, Status

MAX_FACES = 4
TOP_BARS = 3
ALL_BARS = "all-bars"


def faces(live: LiveAnalyzer, camera: CameraState) -> None:
    """Draw the state of the stream and the cards, in the order of the faces' numbers."""
    snapshot = live.snapshot()
    notices.status_line(*_describe(snapshot, camera))
    if snapshot.error:
        st.warning(plain(snapshot.error))
    found = snapshot.result.faces if snapshot.result else ()
    shown = sorted(found, key=lambda face: face.track_id or 0)[:MAX_FACES]
    if shown:
        cards.face_bars(
            shown,
            st.session_state.get("shown"),
            neutral=baseline.values(),
            count=None if st.session_state.get(ALL_BARS) else TOP_BARS,
        )
        if len(found) > len(shown):
            st.caption(f"Bars of {len(shown)} of {len(found)} faces.")
        _heat_caption(live, snapshot.result)
    else:
        cards.empty_bars(snapshot.classes)
    st.session_state["shown"] = {face.track_id: face.probabilities for face in shown}


def _heat_caption(live: LiveAnalyzer, result: FrameResult | None) -> None:
    """Say which faces have no heat map."""
    heat = live.view.heat
    if heat is None or result is None:
        return
    numbers = sorted(face.track_id or 0 for face in result.faces if heat.map_of(face) is None)
    if numbers:
        named = ", ".join(map(str, numbers))
        st.caption(plain(f"No heat map: face {named}."))


def _describe(snapshot: LiveSnapshot, camera: CameraState) -> tuple[str, str]:
    """Return one sentence about the stream, and what to do about it."""
    if not snapshot.running and snapshot.error:
        return "The video is not analysed.", ""
    if camera.connecting:
        return "Connecting…", ""
    if not (snapshot.running or camera.playing):
        return "No face yet.", "Each face gets a card with its bars here."
    if snapshot.result is None:
        return "Waiting for the first picture…", ""
    return _describe_faces(snapshot.result)


def _describe_faces(result: FrameResult) -> tuple[str, str]:
    if result.status is Status.CAMERA_OFF:
        return "The picture is black.", "The camera is switched off or covered."
    if result.status is Status.NO_FACE:
        return "No face in view.", "Face the camera, with light from the front."
    hints = {
        Status.UNCERTAIN: "The prediction is uncertain.",
        Status.LOW_QUALITY: "Face can't be classified. Add light, come closer or face the camera.",
    }
    return f"{cards.count_faces(result.faces)} in view", hints.get(result.status, "")
