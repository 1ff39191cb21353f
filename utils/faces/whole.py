"""The detector "none": the picture is already a face crop."""

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections


class WholeImageDetector:
    """Takes the whole picture as one face, for data sets of cropped faces such as FER2013."""

    name = "none"

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Return one box as large as the RGB uint8 ``(H, W, 3)`` picture, with score 1."""
        height, width = image.shape[:2]
        return Detections(
            boxes=np.array([[0, 0, width, height]], dtype=np.float32),
            scores=np.ones(1, dtype=np.float32),
        )
