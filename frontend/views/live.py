"""The live page: the camera's video with boxes around faces, bars and timelines beside it."""

import streamlit as st

from frontend.components import cards, notices
from frontend.live import baseline, markers, outputs, recording, stimulus, view_controls
from frontend.live.camera_stream import CameraState, camera_stream
from frontend.live.faces import MAX_FACES, faces
from frontend.live.options import forget_initial_options, options
from frontend.live.snapshot import snapshot_button
from frontend.live.timelines import timelines
from frontend.resources import Engine, engine_or_stop
from frontend.text import plain
from utils.errors import EmotionError
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.live_view import LiveView
from utils.media.drawing import annotate
from utils.media.images import load_image
from utils.results import FrameResult
from utils.settings import Settings

LIVE, SNAPSHOT = "Live video", "Snapshots"
REFRESH_SECONDS = 0.4


def main() -> None:
    """Draw the page."""
    st.title("Live")
    notices.notice()
    engine, settings = engine_or_stop()
    live = _live_analyzer(engine, settings)
    mode = st.segmented_control(
        "Mode", [LIVE, SNAPSHOT], default=LIVE, key="mode", label_visibility="collapsed"
    )
    with st.container(key="stage"):
        left, right = st.columns([3, 2], gap="large")
    if mode == SNAPSHOT:
        with left:
            camera_stream(live, settings, hidden=True, on_snapshots=_choose_snapshots)
            photo = st.camera_input("Take a photo")
        with right:
            _snapshot_result(engine, photo.getvalue() if photo else None)
        recording.end(live)
        forget_initial_options()
        return
    with left:
        with st.container():
            camera = camera_stream(live, settings, hidden=False, on_snapshots=_choose_snapshots)
        _controls(live, engine, settings, camera)
    refresh = REFRESH_SECONDS if camera.playing else None
    with right:
        st.fragment(faces, run_every=refresh)(live, camera)
    st.fragment(timelines, run_every=refresh)(live)


def _live_analyzer(engine: Engine, settings: Settings) -> LiveAnalyzer:
    if "live" not in st.session_state:
        initial = LiveOptions(
            settings.interval, settings.detector, tau=settings.tau, chart_tau=settings.chart_tau
        )
        analyzer = LiveAnalyzer(engine.live, initial, lock=engine.lock, limit=engine.limit)
        analyzer.view = LiveView(mirror=True)
        st.session_state["live"] = analyzer
    live: LiveAnalyzer = st.session_state["live"]
    return live


def _choose_snapshots() -> None:
    st.session_state["mode"] = SNAPSHOT


def _controls(live: LiveAnalyzer, engine: Engine, settings: Settings, camera: CameraState) -> None:
    """Draw all controls; what changes in number is in containers, so that the rest stays."""
    playing, spec = camera.playing, engine.live.classifier.spec
    with st.container(horizontal=True, key="actions"):
        recording.record_button(live, settings, spec=spec, playing=playing)
        snapshot_button(live, playing=playing)
        baseline.controls(live, playing=playing)
    with st.container():
        baseline.problem()
        recording.state(live)
    with st.container():
        view_controls.switches(live, engine)
    markers.keys(live)
    stimulus.player(live)
    options(live, settings, playing=playing)
    outputs.state(live, engine, settings, playing=playing)


def _snapshot_result(engine: Engine, data: bytes | None) -> None:
    if data is None:
        notices.status_line("No picture yet.", "Take one. It is discarded after analysis.")
        cards.empty_bars(engine.live.classes)
        return
    try:
        image = load_image(data, name="the snapshot")
        with engine.lock:
            result: FrameResult = engine.live.analyze(image)
    except EmotionError as error:
        st.error(plain(error))
        return
    result = result.in_reading_order().numbered()
    found = cards.count_faces(result.faces) if result.faces else "No face in the picture."
    notices.status_line(found)
    st.image(annotate(image, result), width="stretch")
    cards.face_bars(result.faces[:MAX_FACES])
    if len(result.faces) > MAX_FACES:
        st.caption(f"Bars of {MAX_FACES:d} of {len(result.faces)} faces.")


main()
