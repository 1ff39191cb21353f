"""The settings of the live page: smoothing, detector, and figures about the stream."""

import streamlit as st

from frontend.live import outputs
from frontend.live.camera_stream import video_delay
from frontend.resources import LIVE_DETECTORS
from frontend.text import plain
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.timeline import LiveStats
from utils.settings import Settings

REFRESH_SECONDS = 1.0
_INITIAL = "initial_options"
SERVER_DELAY = (
    "How long a picture takes from the decoder until it is drawn, encoded and sent; the median of "
    "two seconds. Network and browser add to it."
)


def options(live: LiveAnalyzer, settings: Settings, *, playing: bool) -> None:
    """Draw the settings and apply them.

    Args:
        live: The stream.
        settings: Where results can be sent.
        playing: Whether the camera is on.
    """
    with st.expander("Settings", icon=":material/tune:"):
        _controls(live, settings)
        st.fragment(_figures, run_every=REFRESH_SECONDS if playing else None)(live, playing=playing)


def forget_initial_options() -> None:
    """Let the widgets, when they are drawn again, start from the options in force."""
    st.session_state.pop(_INITIAL, None)


@st.fragment
def _controls(live: LiveAnalyzer, settings: Settings) -> None:
    # A widget whose initial value changes is a new one: it would lose focus and the next input.
    old: LiveOptions = st.session_state.setdefault(_INITIAL, live.options)
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
    live.set_options(LiveOptions(interval, detector or old.detector, tau=tau, chart_tau=chart_tau))
    outputs.switch(settings)


def _figures(live: LiveAnalyzer, *, playing: bool) -> None:
    """Show rates and delays; those of a video that has ended are no longer true."""
    stats = live.snapshot().stats if playing else None
    delay_ms = video_delay().milliseconds() if playing else None
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _rates(stats))
    delay = f"<dt>Server delay</dt><dd>{_milliseconds(delay_ms)}</dd>"
    st.html(f"<dl class='stats'>{rows}<div title='{SERVER_DELAY}'>{delay}</div></dl>")


def _rates(stats: LiveStats | None) -> list[tuple[str, str]]:
    if stats is None:
        return [(name, "–") for name in ("Video", "Analysed", "Inference", "Dropped", "Result age")]
    return [
        ("Video", f"{stats.output_fps:.0f} fps"),
        ("Analysed", f"{stats.analysed_fps:.1f} fps"),
        ("Inference", f"{stats.inference_ms:.0f} ms"),
        ("Dropped", f"{stats.dropped:,}"),
        ("Result age", _milliseconds(stats.result_age_ms)),
    ]


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
