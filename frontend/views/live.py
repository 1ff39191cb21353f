"""The live page: the camera's picture with faces boxed, bars and timelines beside it."""

import time
from collections.abc import Callable

import av
import numpy as np
import streamlit as st
from streamlit_webrtc import WebRtcMode, WebRtcStreamerContext, webrtc_streamer
from streamlit_webrtc.webrtc import SignallingTimeoutError

from frontend import components, live_extras, recording
from frontend.resources import LIVE_DETECTORS, Engine, engine_or_stop
from utils.errors import EmotionError
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.timeline import LiveSnapshot
from utils.media.drawing import annotate
from utils.media.images import load_image
from utils.results import FrameResult, Status
from utils.settings import Settings

STREAMER_KEY = "camera"
LIVE, SNAPSHOT = "Live video", "Snapshots"
MAX_FACES = 4
REFRESH_SECONDS = 0.4
# Browser and server agree on a way to each other in a few seconds where there is one.
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
    "style": {"width": "100%", "borderRadius": "10px"},
}


def main() -> None:
    """Draw the page."""
    st.title("Live")
    components.notice()
    engine, settings = engine_or_stop()
    live = _live_analyzer(engine, settings)
    mode = st.segmented_control(
        "Mode", [LIVE, SNAPSHOT], default=LIVE, key="mode", label_visibility="collapsed"
    )
    snapshots = mode == SNAPSHOT
    with st.container(key="stage"):
        left, right = st.columns([3, 2], gap="large")
    with left:
        context = _streamer(live, settings, hidden=snapshots)
        picture = st.camera_input("Take a picture") if snapshots else None
    refresh = REFRESH_SECONDS if context is not None and context.state.playing else None
    with right:
        if snapshots:
            _snapshot_result(engine, picture.getvalue() if picture else None)
        else:
            st.fragment(_faces, run_every=refresh)(live)
    if not snapshots:
        live_extras.view_controls(live, engine)
        live_extras.snapshot_button(live, refresh is not None)
        recording.controls(live, settings, engine.analyzer.model_name, refresh is not None)
    if snapshots:
        # Hidden widgets forget; shown again, they begin with what is in force.
        st.session_state.pop("initial_options", None)
    else:
        # Above the timelines: their number changes, and would move the sliders under the pointer.
        _controls(live)
        st.fragment(_timelines, run_every=refresh)(live)


def _live_analyzer(engine: Engine, settings: Settings) -> LiveAnalyzer:
    if "live" not in st.session_state:
        options = LiveOptions(
            settings.interval, settings.detector, settings.tau, settings.chart_tau
        )
        st.session_state["live"] = LiveAnalyzer(engine.analyzer, options, engine.gate)
    return st.session_state["live"]


def _streamer(live: LiveAnalyzer, settings: Settings, hidden: bool) -> WebRtcStreamerContext | None:
    """Draw the video; hidden, it is stopped but stays on the page, so that nothing is left over."""
    context = None
    with st.container(key="streamer-hidden" if hidden else "streamer"):
        try:
            context = webrtc_streamer(
                key=STREAMER_KEY,
                mode=WebRtcMode.SENDRECV,
                rtc_configuration=settings.rtc_configuration(),
                media_stream_constraints=CONSTRAINTS,
                desired_playing_state=False if hidden else None,
                video_frame_callback=frame_callback(live),
                on_video_ended=lambda: live.stop(wait=False),
                async_processing=True,
                video_html_attrs=VIDEO_ATTRIBUTES,
            )
        except SignallingTimeoutError:
            _say_not_connected()
        components.camera_words()
    if hidden:
        st.session_state["connecting_since"] = None
    elif context is not None:
        _connection(context)
    return context


def frame_callback(live: LiveAnalyzer) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Return what streamlit-webrtc calls with every frame, in a thread of its own."""

    def on_frame(frame: av.VideoFrame) -> av.VideoFrame:
        image = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        drawn = live.process(image, frame.time or 0.0)
        return av.VideoFrame.from_ndarray(drawn, format="rgb24")

    return on_frame


def _connection(context: WebRtcStreamerContext) -> None:
    """Watch how long connecting takes, and say so in words when it doesn't come about."""
    state, began = context.state, st.session_state.get("connecting_since")
    if state.playing:
        st.session_state["connecting_since"] = None
    elif state.signalling:
        if began is None:
            st.session_state["connecting_since"] = time.monotonic()
        st.fragment(_connecting, run_every=1.0)()
    elif began is not None:
        # The browser gave up; within a few seconds it was the user who pressed STOP.
        if time.monotonic() - began > CONNECT_SECONDS / 2:
            _say_not_connected()
        else:
            st.session_state["connecting_since"] = None


def _connecting() -> None:
    began = st.session_state.get("connecting_since")
    if began is not None and time.monotonic() - began > CONNECT_SECONDS:
        _say_not_connected()


def _say_not_connected() -> None:
    st.warning(
        "The video connection could not be made. A firewall or router may be in the way; whoever "
        "runs this server can set EMOTION_ICE_SERVERS to a TURN server. Snapshots work without it."
    )
    if st.button("Use snapshots instead", on_click=_choose_snapshots, key="use-snapshots"):
        st.rerun()  # Pressed inside a fragment, the button renews only that.


def _choose_snapshots() -> None:
    st.session_state["mode"] = SNAPSHOT


def _faces(live: LiveAnalyzer) -> None:
    snapshot = live.snapshot()
    components.status_line(*describe(snapshot))
    if snapshot.error:
        st.warning(snapshot.error)
    faces = snapshot.result.faces[:MAX_FACES] if snapshot.result else ()
    if faces:
        baseline = live_extras.baseline_values()
        if baseline:
            st.caption("Change against the neutral face, in points")
        components.face_bars(faces, st.session_state.get("shown"), baseline)
    else:
        components.empty_bars(snapshot.classes)
    st.session_state["shown"] = {face.track_id: face.probabilities for face in faces}
    live_extras.baseline_button(snapshot)


def describe(snapshot: LiveSnapshot) -> tuple[str, str]:
    """Return one sentence about the stream, and what to do about it."""
    result = snapshot.result
    if not snapshot.running and snapshot.error:
        return "The picture is not analysed.", ""
    if not snapshot.running:
        return "The camera is off.", "Press START and allow the camera."
    if result is None:
        return "Waiting for the first picture…", ""
    if result.status is Status.CAMERA_OFF:
        return "The picture is black.", "The camera is switched off or covered."
    if result.status is Status.NO_FACE:
        return "No face in view.", "Face the camera, with light from the front."
    hints = {
        Status.UNCERTAIN: "The expression is unclear.",
        Status.LOW_QUALITY: "No face can be read: more light, nearer, or facing the camera.",
    }
    hint = hints.get(result.status, "")
    return components.count_faces(result.faces), hint


def _timelines(live: LiveAnalyzer) -> None:
    snapshot = live.snapshot()
    components.live_stats(snapshot.stats)
    for track_id in components.charted_faces(snapshot.history)[-MAX_FACES:]:
        st.caption(f"Face {track_id}, the last 30 seconds")
        chart = components.timeline_chart(snapshot.history, track_id, snapshot.classes)
        st.altair_chart(chart, width="stretch", key=f"timeline-{track_id}")


@st.fragment
def _controls(live: LiveAnalyzer) -> None:
    with st.expander("Settings", icon=":material/tune:"):
        # A widget whose initial value changes is a new one: it would lose focus and the next input.
        old = st.session_state.setdefault("initial_options", live.options)
        first, second = st.columns(2, gap="large")
        tau = first.slider(
            "Smoothing of the bars (seconds)",
            0.0,
            2.0,
            old.tau,
            0.02,
            help="Time in which the bars follow most of a change. 0 shows every frame as it is.",
            key="tau",
        )
        chart_tau = first.slider(
            "Smoothing of the timeline (seconds)", 0.0, 4.0, old.chart_tau, 0.02, key="chart_tau"
        )
        interval = second.slider(
            "Analyse every N-th frame",
            1,
            10,
            old.interval,
            help="Higher is lighter on the processor; the video itself stays fluent.",
            key="interval",
        )
        names = list(dict.fromkeys((*LIVE_DETECTORS, old.detector)))
        detector = second.segmented_control(
            "Face detector", names, default=old.detector, key="detector"
        )
        live.set_options(LiveOptions(interval, detector or old.detector, tau, chart_tau))


def _snapshot_result(engine: Engine, data: bytes | None) -> None:
    if data is None:
        components.status_line("No picture yet.", "Take one; it is analysed and forgotten.")
        components.empty_bars(engine.analyzer.classes)
        return
    try:
        image = load_image(data, name="the snapshot")
        with engine.gate:
            result: FrameResult = engine.analyzer.analyze(image)
    except EmotionError as error:
        st.error(str(error))
        return
    found = components.count_faces(result.faces) if result.faces else "No face in the picture."
    components.status_line(found)
    st.image(annotate(image, result), width="stretch")
    components.face_bars(result.faces[:MAX_FACES])


main()
