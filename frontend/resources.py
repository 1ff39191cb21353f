"""Resources that all viewers of a server share: the loaded model, heat maps, the database."""

import gc
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from utils.concurrency import FairLock, StreamLimit
from utils.errors import CheckpointError, EmotionError
from utils.extras import require
from utils.inference.analyzer import EmotionAnalyzer, load_analyzers
from utils.media.sessions import SessionStore
from utils.settings import Settings, get_settings

# The other detectors need weights that the user has to provide.
LIVE_DETECTORS = ("mtcnn", "haar")


@dataclass(frozen=True)
class Engine:
    """The loaded model.

    Attributes:
        images: For images: looks for small faces too.
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
            f"The model can't be used. {error}\n\nPut a checkpoint at model/best_model.pth, "
            "name another in EMOTION_MODEL, or train one with backend/train.py. Then reload this "
            "page."
        )
    except EmotionError as error:
        st.error(f"The settings can't be used. {error}\n\nCorrect them and restart the app.")
    st.stop()


def _model_settings(settings: Settings) -> str:
    return repr(sorted(settings.model_dump(include=_MODEL_SETTINGS).items()))


@st.cache_resource(show_spinner="Loading the model…", hash_funcs={Settings: _model_settings})
def _load(settings: Settings) -> Engine:
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


class HeatMaps:
    """Grad-CAM of the loaded model, for one caller at a time.

    Args:
        model: The checkpoint; None is the bundled one.

    Raises:
        CheckpointError: There is no checkpoint: an ONNX file has no gradients.
    """

    def __init__(self, model: Path | None) -> None:
        require("train", feature="The heat map", modules=("torch", "pytorch_grad_cam"))
        from utils.evaluation.grad_cam import Explainer
        from utils.model.checkpoint import load_checkpoint

        if model is not None and model.suffix == ".onnx":
            raise CheckpointError("An ONNX file can't be explained; choose the .pth checkpoint.")
        checkpoint = load_checkpoint(model)
        self._explainer = Explainer(checkpoint)
        self._lock = Lock()
        # The first explanation loads more libraries.
        self.of(np.zeros((1, 48, 48, 3), np.uint8), checkpoint.classes[0])

    def of(self, crops: NDArray[np.uint8], target: str) -> NDArray[np.float32]:
        """Return where the network looks for a class, ``(N, S, S)`` in 0..1."""
        with self._lock:
            return self._explainer.explain(crops, target).maps[:, 0]


@st.cache_resource(show_spinner="Loading what explains the model…")
def load_heat_maps(model: Path | None) -> HeatMaps:
    """Load what explains the model's answers; it takes seconds and is done when first asked for.

    Raises:
        CheckpointError: There is no checkpoint.
    """
    maps = HeatMaps(model)
    _spare_the_collector()
    return maps
