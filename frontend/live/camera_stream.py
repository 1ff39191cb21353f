"""The camera's video: from the browser through the analyzer and back."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import streamlit as st
from streamlit_webrtc import WebRtcMode, WebRtcStreamerContext, webrtc_streamer
from streamlit_webrtc.webrtc import SignallingTimeoutError

from frontend.live.newest_frame import NewestFrameTrack, VideoDelay, bypass_relay
from frontend.live.stage import stage
from utils.inference.live import LiveAnalyzer
from utils.settings import Settings

STREAMER_KEY = "camera"
# Where there is a route between browser and server, it is found within a few seconds.
CONNECT_SECONDS = 12.0
CONSTRAINTS = {
    "video": {
        "width": {"ideal": 640},
        "height": {"ideal": 480},
        "frameRate": {"ideal": 30},
    },
    "audio": False,
}
VIDEO_ATTRIBUTES = {
    "autoPlay": True,
    "controls": False,
    "muted": True,
    "playsInline": True,
    # The shape of the stage; a telephone held upright leaves its sides free.
    "style": {
        "width": "100%",
        "aspectRatio": "4 / 3",
        "objectFit": "contain",
        "borderRadius": "10px",
        "background": "#000",
    },
}
_PLAYED, _LEFT = "camera-played", "camera-was-left"


@dataclass(frozen=True)
class CameraState:
    """How things stand with the camera.

    Attributes:
        playing: Whether its video plays.
        connecting: Whether browser and server are looking for a way to each other.
    """

    playing: bool
    connecting: bool = False


def camera_stream(
    live: LiveAnalyzer,
    settings: Settings,
    *,
    hidden: bool,
    on_snapshots: Callable[[], None],
) -> CameraState:
    """Draw the video and return how things stand with it.

    Args:
        live: Analyses and draws the frames.
        settings: For the STUN and TURN servers.
        hidden: Stop the video but keep it on the page, so that nothing is left over.
        on_snapshots: Called when the user gives up on the connection.
    """
    context = None
    track = NewestFrameTrack(frame_callback(live), video_delay(), lambda: live.stop(wait=False))
    bypass_relay()
    was_left = bool(st.session_state.get(_LEFT))
    with stage(hidden=hidden, was_left=was_left), suppress(SignallingTimeoutError):
        context = webrtc_streamer(
            key=STREAMER_KEY,
            mode=WebRtcMode.SENDRECV,
            rtc_configuration=settings.rtc_configuration(),
            media_stream_constraints=CONSTRAINTS,
            desired_playing_state=False if hidden else None,
            sink_video_track=track,
            source_video_track=track,
            video_html_attrs=VIDEO_ATTRIBUTES,
        )
    if hidden:
        st.session_state["connecting_since"] = None
    elif context is None:
        _offer_snapshots(on_snapshots)
    else:
        _watch_connection(context, on_snapshots)
    return _state(context)


def _state(context: WebRtcStreamerContext[Any, Any] | None) -> CameraState:
    playing = context is not None and context.state.playing
    st.session_state[_PLAYED] = playing
    if playing:
        st.session_state.pop(_LEFT, None)
    return CameraState(playing, context is not None and context.state.signalling and not playing)


def leave() -> bool:
    """Note that another page is shown; return whether that switched the camera off."""
    if not st.session_state.pop(_PLAYED, False):
        return False
    st.session_state[_LEFT] = True
    return True


def video_delay() -> VideoDelay:
    """Return how long the frames of this viewer take on the server."""
    delay: VideoDelay = st.session_state.setdefault("video_delay", VideoDelay())
    return delay


def frame_callback(live: LiveAnalyzer) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Return what draws a frame of the camera."""

    def on_frame(frame: av.VideoFrame) -> av.VideoFrame:
        image = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        drawn = live.process(image, frame.time or 0.0)
        return av.VideoFrame.from_ndarray(drawn, format="rgb24")

    return on_frame


def _watch_connection(
    context: WebRtcStreamerContext[Any, Any], on_snapshots: Callable[[], None]
) -> None:
    """Offer snapshots when connecting takes too long or fails."""
    state, since = context.state, st.session_state.get("connecting_since")
    if state.playing:
        st.session_state["connecting_since"] = None
    elif state.signalling:
        if since is None:
            st.session_state["connecting_since"] = time.monotonic()
        st.fragment(_connecting, run_every=1.0)(on_snapshots)
    elif since is not None:
        # The browser gave up; within the first few seconds it was the user who pressed STOP.
        if time.monotonic() - since > CONNECT_SECONDS / 2:
            _offer_snapshots(on_snapshots)
        else:
            st.session_state["connecting_since"] = None


def _connecting(on_snapshots: Callable[[], None]) -> None:
    since = st.session_state.get("connecting_since")
    if since is not None and time.monotonic() - since > CONNECT_SECONDS:
        _offer_snapshots(on_snapshots)


def _offer_snapshots(on_snapshots: Callable[[], None]) -> None:
    st.warning(
        "The video connection failed. A firewall or router may be blocking it; the operator of "
        "this server can set EMOTION_ICE_SERVERS to a TURN server. Snapshots work without it."
    )
    if st.button("Use snapshots instead", on_click=on_snapshots, key="use-snapshots"):
        st.rerun()  # Pressed inside a fragment, the button reruns only that.
