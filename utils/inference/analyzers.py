"""What a server loads once: one network with a search for pictures and a quicker one for video."""

from dataclasses import dataclass
from pathlib import Path

from utils.devices import limit_threads
from utils.faces import build_detector
from utils.inference.analyzer import EmotionAnalyzer

# Looking for smaller faces than these pixels costs most of the detection time.
LIVE_MIN_FACE = 40


@dataclass(frozen=True)
class Analyzers:
    """Two analyzers that share the network.

    Attributes:
        pictures: Looks for small faces too.
        live: Looks for faces from ``LIVE_MIN_FACE`` pixels.
    """

    pictures: EmotionAnalyzer
    live: EmotionAnalyzer


def load_analyzers(
    model: Path | None,
    detector: str,
    detector_weights: Path | None,
    device: str,
    threads: int | None,
) -> Analyzers:
    """Load and warm up the model, and limit the cores that this process infers on.

    Args:
        model: Checkpoint (.pth) or ONNX file; None is the bundled one.
        detector: One of ``utils.faces.list_detectors()``.
        detector_weights: The user's model file for the detectors that need one.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``, for the classifier.
        threads: Cores for inference; None takes half of them.

    Raises:
        EmotionError: The model or the detector can't be used.
    """
    pictures = EmotionAnalyzer.load(
        model, detector, device, detector_weights, threads=limit_threads(threads)
    )
    quick = build_detector(detector, weights=detector_weights, min_face=LIVE_MIN_FACE)
    both = Analyzers(pictures, EmotionAnalyzer(pictures.classifier, quick, LIVE_MIN_FACE))
    both.pictures.warm_up()
    both.live.warm_up()
    return both
