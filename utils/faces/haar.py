"""OpenCV's Haar cascade for frontal faces (Viola and Jones, 2001); needs no model file."""

import threading
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from utils.defaults import MIN_FACE
from utils.faces.base import Detections
from utils.faces.postprocess import make_detections, no_faces
from utils.faces.resize import pad, shrink

CASCADE = "haarcascade_frontalface_default.xml"
WINDOW = 24  # the cascade's own size
# The cascade's box is wider than a tight crop: it missed 18% of 150 tight photos without a border
# and 5% with it.
PADDING = 0.25


class HaarDetector:
    """Frontal faces only, with more false positives than the neural detectors and no landmarks.

    The score is ``1 - exp(-weight / 5)`` of the cascade's last-stage weight: a monotonic mapping to
    0..1, not a probability.
    """

    name = "haar"

    def __init__(
        self, *, min_face: int = MIN_FACE, min_score: float = 0.3, max_side: int = 1024
    ) -> None:
        """Load the cascade that ships with OpenCV.

        Args:
            min_face: Smallest face to detect, in pixels of the image.
            min_score: Faces with a lower score are dropped.
            max_side: Larger images are scaled down to this side for detection.
        """
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / CASCADE))
        self._lock = threading.Lock()  # a CascadeClassifier keeps buffers between calls
        self._min_face = min_face
        self._min_score = min_score
        self._max_side = max_side

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Detect frontal faces in an RGB uint8 ``(H, W, 3)`` image."""
        small, scale = shrink(image, self._max_side)
        # The border is added last, because its grey would distort the equalisation.
        equalized = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        gray, border = pad(np.asarray(equalized, np.uint8), PADDING)
        smallest = max(WINDOW, round(self._min_face * scale))
        with self._lock:
            found, _, weights = self._cascade.detectMultiScale3(
                gray,
                scaleFactor=1.1,
                minNeighbors=5,
                minSize=(smallest, smallest),
                outputRejectLevels=True,
            )
        if len(found) == 0:
            return no_faces(landmarks=False)
        rows = np.asarray(found, dtype=np.float32)
        corners = rows[:, :2] - border
        boxes = np.hstack([corners, corners + rows[:, 2:]]) / scale
        scores = 1 - np.exp(-np.clip(np.asarray(weights).ravel(), 0, None) / 5)
        sure = scores >= self._min_score
        return make_detections(image, boxes[sure], scores=scores[sure])
