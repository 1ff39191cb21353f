"""Face detectors: one protocol, one file each, chosen by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from utils.defaults import DETECTOR, MIN_FACE
from utils.errors import DetectorError
from utils.faces.base import Detections, FaceDetector

__all__ = ["BUNDLED", "Detections", "FaceDetector", "build_detector", "list_detectors"]


# Imported inside the factories, so that only the chosen detector costs start-up time.
def _mtcnn(weights: Path | None, **options: Any) -> FaceDetector:
    from utils.faces.mtcnn import MtcnnDetector

    return MtcnnDetector(**options)


def _haar(weights: Path | None, **options: Any) -> FaceDetector:
    from utils.faces.haar import HaarDetector

    return HaarDetector(**options)


def _yunet(weights: Path | None, **options: Any) -> FaceDetector:
    from utils.faces.yunet import YunetDetector

    return YunetDetector(weights, **options)


def _ssd(weights: Path | None, **options: Any) -> FaceDetector:
    from utils.faces.ssd import SsdDetector

    return SsdDetector(weights, **options)


def _whole(weights: Path | None, **options: Any) -> FaceDetector:
    from utils.faces.whole import WholeImageDetector

    return WholeImageDetector()


_DETECTORS: dict[str, Callable[..., FaceDetector]] = {
    "mtcnn": _mtcnn,
    "haar": _haar,
    "yunet": _yunet,
    "ssd": _ssd,
    "none": _whole,
}
# Those that need no model file of the user's.
BUNDLED = ("mtcnn", "haar", "none")


def list_detectors() -> tuple[str, ...]:
    """Return the names that :func:`build_detector` accepts, the default first."""
    return tuple(_DETECTORS)


def build_detector(
    name: str = DETECTOR,
    *,
    weights: Path | None = None,
    min_face: int = MIN_FACE,
    min_score: float | None = None,
) -> FaceDetector:
    """Build a face detector by name.

    Args:
        name: One of :func:`list_detectors`.
        weights: The user's model file for ``yunet`` and ``ssd``; the others need none.
        min_face: Smallest face to detect, in pixels of the image; live video takes
            ``LIVE_MIN_FACE``.
        min_score: Faces with a lower score are dropped; None uses the detector's default. Scores
            of different detectors are not comparable.

    Raises:
        DetectorError: The name is unknown, or the model file is missing or damaged.
    """
    if name not in _DETECTORS:
        raise DetectorError(f"unknown face detector {name!r}; available: {', '.join(_DETECTORS)}")
    options: dict[str, Any] = {"min_face": min_face}
    if min_score is not None:
        options["min_score"] = min_score
    return _DETECTORS[name](weights, **options)
