"""What the app and the service load: one network, and a detector each for photos and live video."""

from dataclasses import dataclass

from utils.defaults import LIVE_MIN_FACE
from utils.devices import limit_threads
from utils.faces.detector_options import DetectorOptions
from utils.inference.analyzer import EmotionAnalyzer
from utils.settings import Settings


@dataclass(frozen=True)
class Analyzers:
    """Two analyzers that share the network.

    Attributes:
        images: Detects small faces too.
        live: Detects faces of at least ``LIVE_MIN_FACE`` pixels.
    """

    images: EmotionAnalyzer
    live: EmotionAnalyzer


def load_analyzers(settings: Settings) -> Analyzers:
    """Load and warm up the model, and limit the cores that this process uses for inference.

    Args:
        settings: Model, detector and its weights, device and threads.

    Raises:
        EmotionError: The model or the detector can't be used.
    """
    images = EmotionAnalyzer.load(
        settings.model,
        detector=settings.detector,
        device=settings.device,
        detector_weights=settings.detector_weights,
        threads=limit_threads(settings.threads),
    )
    options = DetectorOptions(settings.detector_weights, LIVE_MIN_FACE)
    detector = options.build(settings.detector)
    live = EmotionAnalyzer(images.classifier, detector, options=options)
    images.warm_up()
    live.warm_up()
    return Analyzers(images, live)
