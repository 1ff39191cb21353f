"""Resources that all viewers of a server share: the loaded model and the database."""

import gc
from dataclasses import dataclass

import streamlit as st

from frontend.text import plain
from utils.concurrency import FairLock, StreamLimit
from utils.errors import CheckpointError, EmotionError
from utils.faces import BUNDLED
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.server_analyzers import load_analyzers
from utils.media.sessions import SessionStore
from utils.memory import return_large_blocks
from utils.settings import Settings, get_settings

# "none" takes the whole image for a face, which no frame of a camera is.
LIVE_DETECTORS = tuple(name for name in BUNDLED if name != "none")


@dataclass(frozen=True)
class Engine:
    """The loaded model.

    Attributes:
        images: For images: detects small faces too.
        live: For video: the same model, faster detection.
        lock: Held by a viewer during inference.
        limit: How many live streams may run at once.
    """

    images: EmotionAnalyzer
    live: EmotionAnalyzer
    lock: FairLock
    limit: StreamLimit


# The settings of the model: a change of others does not load it again.
_MODEL_SETTINGS = {"model", "detector", "detector_weights", "device", "threads", "max_streams"}


def load_engine(settings: Settings) -> Engine:
    """Load and warm up the model; later calls on this server return the same engine.

    Raises:
        EmotionError: The model file is missing or unusable; the next call tries again.
    """
    return _load(settings)


def engine_or_stop() -> tuple[Engine, Settings]:
    """Return the engine and the settings; without one, show the error and stop the page."""
    try:
        settings = get_settings()
        return load_engine(settings), settings
    except CheckpointError as error:
        st.error(
            f"The model can't be used. {plain(error)}\n\nPut a checkpoint at model/best_model.pth, "
            "name another in EMOTION_MODEL, or train one with backend/train.py. Then reload this "
            "page."
        )
    except EmotionError as error:
        st.error(f"The settings can't be used. {plain(error)}\n\nCorrect them and restart the app.")
    st.stop()


def _model_settings(settings: Settings) -> str:
    return repr(sorted(settings.model_dump(include=_MODEL_SETTINGS).items()))


@st.cache_resource(show_spinner="Loading the model…", hash_funcs={Settings: _model_settings})
def _load(settings: Settings) -> Engine:
    return_large_blocks()
    loaded = load_analyzers(settings)
    for name in LIVE_DETECTORS:
        loaded.live.with_detector(name).warm_up()
    _spare_the_collector()
    limit = StreamLimit(settings.max_streams)
    return Engine(loaded.images, loaded.live, FairLock(), limit)


def _spare_the_collector() -> None:
    # Streamlit collects garbage after every run of a script or fragment. Traversing the libraries'
    # 300,000 permanent objects five times a second would cost the video a processor core.
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def _open_store(url: str) -> SessionStore:
    return SessionStore(url)


def open_store(settings: Settings) -> SessionStore:
    """Return the database of sessions, after deleting those past the retention period.

    Raises:
        DatabaseError: The database can't be used; the next call tries again.
    """
    store = _open_store(settings.database_url)
    if settings.retention_days is not None:
        store.delete_older(settings.retention_days)
    return store
