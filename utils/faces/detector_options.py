"""Options that face detectors share, to build several detectors alike."""

from dataclasses import dataclass
from pathlib import Path

from utils.defaults import MIN_FACE
from utils.faces import FaceDetector, build_detector


@dataclass(frozen=True)
class DetectorOptions:
    """Options of a face detector, whichever it is.

    Attributes:
        weights: The user's model file, for the detectors that need one.
        min_face: Smallest face to detect, in pixels.
        min_score: Faces that the detector scores lower are dropped; None takes the detector's own
            default.
    """

    weights: Path | None = None
    min_face: int = MIN_FACE
    min_score: float | None = None

    def build(self, name: str) -> FaceDetector:
        """Return the detector of a name, one of ``utils.faces.list_detectors()``.

        Raises:
            DetectorError: The detector is unknown, or its model file is missing or damaged.
        """
        return build_detector(
            name, weights=self.weights, min_face=self.min_face, min_score=self.min_score
        )
