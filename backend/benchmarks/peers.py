"""Comparable packages, timed on the same frames where they are installed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from utils.media.images import Image


@dataclass(frozen=True)
class PeerTiming:
    """How long another package takes for a frame.

    Attributes:
        name: The package.
        outcome: Median milliseconds for a frame, or why there are none.
    """

    name: str
    outcome: float | str


def time_peers(frames: Sequence[Image]) -> tuple[PeerTiming, ...]:
    """Time each package on the same frames.

    Args:
        frames: RGB uint8 ``(H, W, 3)``, at least one.
    """
    return tuple(
        PeerTiming(name, _time_peer(name, load, frames=frames))
        for name, load in (("fer", _load_fer), ("deepface", _load_deepface))
    )


def _time_peer(
    name: str, load: Callable[[], Callable[[Image], Any]], *, frames: Sequence[Image]
) -> float | str:
    if find_spec(name) is None:
        return "not installed"
    try:
        analyze = load()
        analyze(frames[0])
        return round(float(np.median([_milliseconds(analyze, frame) for frame in frames])), 1)
    except Exception as error:  # a defect of another package must not lose our own measurements
        return f"failed ({type(error).__name__}: {error})"


def _milliseconds(analyze: Callable[[Image], Any], frame: Image) -> float:
    start = time.perf_counter()
    analyze(frame)
    return 1000 * (time.perf_counter() - start)


def _load_fer() -> Callable[[Image], Any]:
    try:
        from fer.fer import FER  # since 25.10
    except ImportError:
        from fer import FER
    detector = FER(mtcnn=True)
    return lambda frame: detector.detect_emotions(frame[:, :, ::-1])


def _load_deepface() -> Callable[[Image], Any]:
    from deepface import DeepFace

    return lambda frame: DeepFace.analyze(
        frame[:, :, ::-1], actions=["emotion"], enforce_detection=False, silent=True
    )
