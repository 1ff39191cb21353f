"""The detector "none": the image is already a face crop."""

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections


class WholeImageDetector:
    """Treats the whole image as one face, for datasets of cropped faces such as FER2013."""

    name = "none"

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Return one box covering the RGB uint8 ``(H, W, 3)`` image, with score 1."""
        height, width = image.shape[:2]
        return Detections(
            boxes=np.array([[0, 0, width, height]], dtype=np.float32),
            scores=np.ones(1, dtype=np.float32),
        )
