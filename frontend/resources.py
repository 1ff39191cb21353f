"""What all viewers of one server share: the model, loaded once, and the turn to use it."""

import gc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from utils.analysis import EmotionAnalyzer
from utils.gate import Gate
from utils.live import LIVE_MIN_FACE, limit_threads
from utils.settings import Settings

# Weights of the other detectors are for the user to bring.
LIVE_DETECTORS = ("mtcnn", "haar")


@dataclass(frozen=True)
class Engine:
    """The loaded model and the gate that gives one viewer at a time the processor."""

    analyzer: EmotionAnalyzer
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


@st.cache_resource(show_spinner="Loading the model…")
def _load(
    model: Path | None,
    detector: str,
    weights: Path | None,
    device: str,
    threads: int | None,
    max_streams: int,
) -> Engine:
    threads = limit_threads(threads)
    analyzer = EmotionAnalyzer.load(
        model, detector, device, weights, LIVE_MIN_FACE, threads=threads
    )
    blank = np.zeros((480, 640, 3), dtype=np.uint8)
    for name in {detector, *LIVE_DETECTORS}:
        analyzer.with_detector(name).detect(blank)
    analyzer.warm_up()
    # Streamlit collects all garbage after every run of a script or fragment. Walking over the
    # libraries' 300,000 lasting objects five times a second would take a core from the video.
    gc.collect()
    gc.freeze()
    return Engine(analyzer, Gate(max_streams))
