"""The interface of face detectors and their result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from utils.errors import DetectorError
from utils.files import unusable_reason


@dataclass(frozen=True)
class Detections:
    """Faces detected in one image, largest box first.

    Attributes:
        boxes: float32 ``(N, 4)``, ``(x1, y1, x2, y2)`` in pixels of the image, clipped to it.
        scores: float32 ``(N,)`` in 0..1.
        landmarks: float32 ``(N, 5, 2)``: left eye, right eye, nose, left and right mouth corner as
            seen in the image; None if the detector provides none.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n = len(self.boxes)
        if self.boxes.shape != (n, 4):
            raise ValueError(f"boxes must have shape (N, 4), not {self.boxes.shape}")
        if self.scores.shape != (n,):
            raise ValueError(f"scores must have shape ({n},), not {self.scores.shape}")
        if self.landmarks is not None and self.landmarks.shape != (n, 5, 2):
            raise ValueError(f"landmarks must have shape ({n}, 5, 2), not {self.landmarks.shape}")

    def __len__(self) -> int:
        return len(self.boxes)


class FaceDetector(Protocol):
    """Detects faces. Implementations are thread-safe."""

    name: str

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Detect faces in an RGB uint8 ``(H, W, 3)`` image; without faces, arrays are empty."""
        ...


def check_weights(path: Path | None, where: str) -> Path:
    """Return the path of a detector's model file.

    Args:
        path: What the user named; None if nothing.
        where: A sentence that says where to get the file.

    Raises:
        DetectorError: No file was named, or there is none.
    """
    if path is None:
        raise DetectorError(
            "no model file given; name it with --detector-weights FILE, for the app and the "
            f"service with EMOTION_DETECTOR_WEIGHTS=FILE. {where}."
        )
    if reason := unusable_reason(path):
        raise DetectorError(f"{path}: {reason}. {where}.")
    return path
