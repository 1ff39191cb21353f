"""The live page: the camera's video with boxes around faces, bars and timelines beside it."""

import streamlit as st

from frontend.components import cards, charts, notices
from frontend.live import baseline, markers, outputs, recording, stimulus, view_controls
from frontend.live.camera_stream import camera_stream, video_delay
from frontend.resources import LIVE_DETECTORS, Engine, engine_or_stop
from frontend.text import plain
from utils.errors import EmotionError
from utils.inference.history_table import history_table
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.timeline import LiveSnapshot, LiveStats
from utils.media.drawing import annotate
from utils.media.images import load_image
from utils.media.timeseries import face_series, track_ids
from utils.results import FrameResult, Status
from utils.settings import Settings

LIVE, SNAPSHOT = "Live video", "Snapshots"
MAX_FACES = 4
REFRESH_SECONDS = 0.4
TIMELINE_SECONDS = 30.0
SERVER_DELAY = (
    "How long a picture takes from the decoder until it is drawn, encoded and sent; the median of "
    "two seconds. Network and browser add to it."
)


def main() -> None:
    """Draw the page."""
    st.title("Live")
    notices.notice()
    engine, settings = engine_or_stop()
    live = _live_analyzer(engine, settings)
    mode = st.segmented_control(
        "Mode", [LIVE, SNAPSHOT], default=LIVE, key="mode", label_visibility="collapsed"
    )
    snapshots = mode == SNAPSHOT
    with st.container(key="stage"):
        left, right = st.columns([3, 2], gap="large")
    with left:
        playing = camera_stream(live, settings, hidden=snapshots, on_snapshots=_choose_snapshots)
        photo = st.camera_input("Take a photo") if snapshots else None
    refresh = REFRESH_SECONDS if playing else None
    with right:
        if snapshots:
            _snapshot_result(engine, photo.getvalue() if photo else None)
        else:
            st.fragment(_faces, run_every=refresh)(live)
    if snapshots:
        # Hidden widgets lose their values; shown again, they start from the options in force.
        st.session_state.pop("initial_options", None)
    else:
        # Their number of elements changes; what follows must keep its place, or it starts anew.
        with st.container():
            view_controls.view_controls(live, engine)
            view_controls.snapshot_button(live, playing)
            recording.controls(live, settings, spec=engine.live.classifier.spec, playing=playing)
        markers.keys(live)
        stimulus.player(live)
        # Above the timelines: their number changes, and would move the sliders under the pointer.
        _controls(live, settings)
        outputs.state(live, engine, settings, playing=playing)
        st.fragment(_timelines, run_every=refresh)(live)


def _live_analyzer(engine: Engine, settings: Settings) -> LiveAnalyzer:
    if "live" not in st.session_state:
        options = LiveOptions(
            settings.interval, settings.detector, tau=settings.tau, chart_tau=settings.chart_tau
        )
        st.session_state["live"] = LiveAnalyzer(
            engine.live, options, lock=engine.lock, limit=engine.limit
        )
    live: LiveAnalyzer = st.session_state["live"]
    return live


def _choose_snapshots() -> None:
    st.session_state["mode"] = SNAPSHOT


def _faces(live: LiveAnalyzer) -> None:
    snapshot = live.snapshot()
    notices.status_line(*_describe(snapshot))
    if snapshot.error:
        st.warning(plain(snapshot.error))
    faces = snapshot.result.faces[:MAX_FACES] if snapshot.result else ()
    if faces:
        neutral = baseline.baseline_values()
        if neutral:
            st.caption("Change from your neutral face, in percentage points")
        cards.face_bars(faces, st.session_state.get("shown"), baseline=neutral)
    else:
        cards.empty_bars(snapshot.classes)
    st.session_state["shown"] = {face.track_id: face.probabilities for face in faces}
    baseline.baseline_button(snapshot)


def _describe(snapshot: LiveSnapshot) -> tuple[str, str]:
    """Return one sentence about the stream, and what to do about it."""
    result = snapshot.result
    if not snapshot.running and snapshot.error:
        return "The video is not analysed.", ""
    if not snapshot.running:
        return "The camera is off.", "Press START and allow the camera."
    if result is None:
        return "Waiting for the first picture…", ""
    if result.status is Status.CAMERA_OFF:
        return "The picture is black.", "The camera is switched off or covered."
    if result.status is Status.NO_FACE:
        return "No face in view.", "Face the camera, with light from the front."
    hints = {
        Status.UNCERTAIN: "The prediction is uncertain.",
        Status.LOW_QUALITY: "Face can't be classified. Add light, come closer or face the camera.",
    }
    return f"{cards.count_faces(result.faces)} in view", hints.get(result.status, "")


def _timelines(live: LiveAnalyzer) -> None:
    snapshot = live.snapshot()
    _stats(snapshot.stats, video_delay().milliseconds())
    table = history_table(snapshot.history, snapshot.classes, seconds=TIMELINE_SECONDS)
    for track_id in track_ids(table)[-MAX_FACES:]:
        st.caption(f"Face {track_id:d}, the last {TIMELINE_SECONDS:.0f} seconds")
        chart = charts.probability_chart(
            face_series(table, track_id), snapshot.classes, span=(-TIMELINE_SECONDS, 0.0)
        )
        st.altair_chart(chart, width="stretch", key=f"timeline-{track_id}")


def _stats(stats: LiveStats, delay_ms: float | None) -> None:
    """Show rates and delays in one line."""
    items = {
        "Video": f"{stats.output_fps:.0f} fps",
        "Analysed": f"{stats.analysed_fps:.1f} fps",
        "Inference": f"{stats.inference_ms:.0f} ms",
        "Dropped": f"{stats.dropped} frames",
        "Result age": _milliseconds(stats.result_age_ms),
    }
    rows = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in items.items())
    delay = f"<dt>Server delay</dt><dd>{_milliseconds(delay_ms)}</dd>"
    st.html(f"<dl class='stats'>{rows}<div title='{SERVER_DELAY}'>{delay}</div></dl>")


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


@st.fragment
def _controls(live: LiveAnalyzer, settings: Settings) -> None:
    with st.expander("Settings", icon=":material/tune:"):
        # A widget whose initial value changes is a new one: it would lose focus and the next input.
        old: LiveOptions = st.session_state.setdefault("initial_options", live.options)
        first, second = st.columns(2, gap="large")
        tau = first.slider(
            "Smoothing of the bars (seconds)",
            0.0,
            2.0,
            old.tau,
            0.02,
            help="How long the bars take to follow most of a change. 0 turns smoothing off.",
            key="tau",
        )
        chart_tau = first.slider(
            "Smoothing of the timeline (seconds)", 0.0, 4.0, old.chart_tau, 0.02, key="chart_tau"
        )
        interval = second.slider(
            "Analyse every Nth frame",
            1,
            10,
            old.interval,
            help="A higher number takes less processor time; the video itself stays smooth.",
            key="interval",
        )
        names = list(dict.fromkeys((*LIVE_DETECTORS, old.detector)))
        detector = second.segmented_control(
            "Face detector", names, default=old.detector, format_func=plain, key="detector"
        )
        live.set_options(
            LiveOptions(interval, detector or old.detector, tau=tau, chart_tau=chart_tau)
        )
        outputs.switch(settings)


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
    found = cards.count_faces(result.faces) if result.faces else "No face in the picture."
    notices.status_line(found)
    st.image(annotate(image, result), width="stretch")
    cards.face_bars(result.faces[:MAX_FACES])


main()
