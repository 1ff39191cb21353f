"""What all viewers of one server share: the model, loaded once, and the turn to use it."""

import gc
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from utils.concurrency import Gate
from utils.errors import CheckpointError, EmotionError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.analyzers import load_analyzers
from utils.media.sessions import SessionStore
from utils.settings import Settings, get_settings

# Weights of the other detectors are for the user to bring.
LIVE_DETECTORS = ("mtcnn", "haar")


@dataclass(frozen=True)
class Engine:
    """The loaded model.

    Attributes:
        analyzer: For video: searches quickly.
        photos: For pictures: the same model, small faces too.
        gate: Gives one viewer at a time the processor.
    """

    analyzer: EmotionAnalyzer
    photos: EmotionAnalyzer
    gate: Gate


def load_engine(settings: Settings) -> Engine:
    """Load and warm up the model; later calls on this server return the same one.

    Raises:
        EmotionError: The model file is missing or can't be used; the next call tries again.
    """
    return _load(
        settings.model,
        settings.detector,
        settings.detector_weights,
        settings.device,
        settings.threads,
        settings.max_streams,
    )


def engine_or_stop() -> tuple[Engine, Settings]:
    """Return the engine and the settings; where there is none, say why and end the page's run."""
    try:
        settings = get_settings()
        return load_engine(settings), settings
    except CheckpointError as error:
        st.error(
            f"The model can't be used. {error}\n\nPut a checkpoint at model/best_model.pth, "
            "name one in EMOTION_MODEL, or train one with backend/train.py; then reload this page."
        )
    except EmotionError as error:
        st.error(f"The settings can't be used. {error}\n\nMend them and start the app again.")
    st.stop()


@st.cache_resource(show_spinner="Loading the model…")
def _load(
    model: Path | None,
    detector: str,
    weights: Path | None,
    device: str,
    threads: int | None,
    max_streams: int,
) -> Engine:
    loaded = load_analyzers(model, detector, weights, device, threads)
    for name in LIVE_DETECTORS:
        loaded.live.with_detector(name).warm_up()
    _spare_the_collector()
    return Engine(loaded.live, loaded.pictures, Gate(max_streams))


def _spare_the_collector() -> None:
    # Streamlit collects all garbage after every run of a script or fragment. Walking over the
    # libraries' 300,000 lasting objects five times a second would take a core from the video.
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def _open_store(url: str) -> SessionStore:
    return SessionStore(url)


def open_store(settings: Settings) -> SessionStore:
    """Return the database of sessions, without what is older than the settings allow.

    Raises:
        DatabaseError: It can't be used; the next call tries again.
    """
    store = _open_store(settings.database_url)
    if settings.retention_days is not None:
        store.delete_older(settings.retention_days)
    return store
