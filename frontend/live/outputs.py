"""Results of the live page for other programs: the switch, and what becomes of it."""

import threading
from dataclasses import dataclass, field

import streamlit as st

from frontend.resources import Engine
from frontend.text import plain
from utils.errors import EmotionError, OutputError
from utils.inference.live import LiveAnalyzer
from utils.media.live_outputs.config import LiveOutputConfig
from utils.media.live_outputs.messages import StreamDescription
from utils.media.live_outputs.outputs import LiveOutputs
from utils.settings import Settings

REFRESH_SECONDS = 1.0
_SWITCH = "send-results"


@dataclass
class SharedOutputs:
    """The outputs of this server; one viewer uses them at a time.

    Attributes:
        newest: Those that were opened last; None before.
    """

    newest: LiveOutputs | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(
        self, config: LiveOutputConfig, stream: StreamDescription, *, problems: list[str]
    ) -> LiveOutputs:
        """Open the outputs for a viewer.

        Args:
            config: Which outputs.
            stream: What the results mean.
            problems: Collects what goes wrong later, as sentences.

        Raises:
            EmotionError: Another viewer uses them, or they can't be opened.
        """
        with self._lock:
            if self.newest is not None and not self.newest.closed:
                raise OutputError("Another viewer of this server is sending results already.")
            self.newest = config.open(stream, report=problems.append)
            return self.newest


@st.cache_resource(show_spinner=False)
def _shared() -> SharedOutputs:
    return SharedOutputs()


def _config(settings: Settings) -> LiveOutputConfig:
    return LiveOutputConfig(
        webhook=settings.webhook,
        webhook_interval=settings.webhook_interval,
        broadcast=settings.broadcast,
        lsl=settings.lsl,
    )


def switch(settings: Settings) -> None:
    """Draw the switch that sends results to other programs, if the server has any set."""
    if names := _config(settings).names:
        st.toggle(
            "Send results to other programs",
            help=f"{plain(', '.join(names))}. Times, boxes and probabilities, no pictures.",
            key=_SWITCH,
        )


def state(live: LiveAnalyzer, engine: Engine, settings: Settings, *, playing: bool) -> None:
    """Open or close the outputs as the switch says, and show what becomes of them.

    Args:
        live: The stream whose results are sent.
        engine: For what the results mean.
        settings: Where results can be sent.
        playing: Whether the camera is on.
    """
    config = _config(settings)
    if config.names:
        run_every = REFRESH_SECONDS if playing else None
        st.fragment(_state, run_every=run_every)(live, engine, config, playing=playing)


def _state(live: LiveAnalyzer, engine: Engine, config: LiveOutputConfig, *, playing: bool) -> None:
    wanted = playing and st.session_state.get(_SWITCH, False)
    problems: list[str] = st.session_state.setdefault("output-problems", [])
    if not wanted:
        problems.clear()
        _close(live)
        return
    if live.outputs is None or live.outputs.closed:
        try:
            live.outputs = _shared().open(config, engine.live.stream_description, problems=problems)
        except EmotionError as error:
            st.warning(plain(error))
            return
    st.caption(f":material/share: Results go to: {plain(', '.join(config.names))}")
    for problem in problems[-1:]:
        st.warning(plain(problem))


def _close(live: LiveAnalyzer) -> None:
    outputs, live.outputs = live.outputs, None
    if outputs is not None:
        # A webhook sends what is waiting, for some seconds; the page does not wait for it.
        threading.Thread(target=outputs.close, name="close-outputs", daemon=True).start()
