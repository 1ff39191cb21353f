"""What a user might have picked instead, timed on the same frames, where it is installed."""

import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray


def time_peers(frames: Sequence[NDArray[np.uint8]]) -> dict[str, str | float]:
    """Return the median milliseconds of each peer for a frame, or that it is not installed.

    Args:
        frames: RGB uint8 ``(H, W, 3)``.
    """
    found: dict[str, str | float] = {}
    for name, load in (("fer", _fer), ("deepface", _deepface)):
        key = f"peer_{name}_ms"
        if find_spec(name) is None:
            found[key] = "not installed"
            continue
        try:
            run = load()
            run(frames[0])
            found[key] = round(float(np.median([_milliseconds(run, f) for f in frames])), 1)
        except Exception as error:  # whatever another project's release does, ours are the figures
            found[key] = f"failed ({type(error).__name__}: {error})"
    return found


def _milliseconds(run: Callable[[NDArray[np.uint8]], Any], frame: NDArray[np.uint8]) -> float:
    began = time.perf_counter()
    run(frame)
    return 1000 * (time.perf_counter() - began)


def _fer() -> Callable[[NDArray[np.uint8]], Any]:
    try:
        from fer.fer import FER  # since 25.10
    except ImportError:
        from fer import FER
    detector = FER(mtcnn=True)
    return lambda frame: detector.detect_emotions(frame[:, :, ::-1])


def _deepface() -> Callable[[NDArray[np.uint8]], Any]:
    from deepface import DeepFace

    return lambda frame: DeepFace.analyze(
        frame[:, :, ::-1], actions=["emotion"], enforce_detection=False, silent=True
    )
