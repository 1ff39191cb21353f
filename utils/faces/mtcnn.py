"""The default detector: MTCNN with the weights of facenet-pytorch."""

import numpy as np
from numpy.typing import NDArray

from utils.defaults import MIN_FACE
from utils.faces.base import Detections
from utils.faces.mtcnn_cascade import Cascade
from utils.faces.postprocess import make_detections
from utils.faces.resize import pad, shrink

# Without a border MTCNN misses faces that fill or exceed the image: in 200 training images of
# FER2013 it missed 14% without a border and 8.5% with it; 0.4 was no better than 0.25.
PADDING = 0.25
_SMALLEST = 20.0


class MtcnnDetector:
    """The default detector: five landmarks, faces rotated up to about 45 degrees, on the CPU."""

    name = "mtcnn"

    def __init__(
        self,
        *,
        min_face: int = MIN_FACE,
        min_score: float = 0.7,
        max_side: int = 1024,
        thresholds: tuple[float, float] = (0.6, 0.7),
    ) -> None:
        """Load the networks.

        Args:
            min_face: Smallest face to detect, in pixels of the image; detection time falls with its
                square. The image is scaled down until this face has 20 pixels, the smallest size
                that the networks can classify.
            min_score: Threshold of the last network (O-Net); faces with a lower score are dropped.
            max_side: Larger images are scaled down to this side for detection; faces that are then
                smaller than 20 pixels are not found.
            thresholds: Thresholds of the first two networks (P-Net, R-Net).
        """
        self._cascade = Cascade()
        self._min_face = min_face
        self._max_side = max_side
        self._thresholds = (*thresholds, min_score)

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Detect faces in an RGB uint8 ``(H, W, 3)`` image."""
        longest = max(image.shape[:2]) * min(1.0, _SMALLEST / self._min_face)
        small, scale = shrink(image, min(self._max_side, max(1, round(longest))))
        padded, border = pad(small, PADDING)
        min_face = max(_SMALLEST, self._min_face * scale)
        boxes, scores, points = self._cascade.detect(
            padded, min_face, thresholds=self._thresholds, border=border
        )
        boxes, points = (boxes - border) / scale, (points - border) / scale
        # The cascade also finds faces somewhat smaller than min_face.
        big = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) >= self._min_face
        return make_detections(image, boxes[big], scores=scores[big], landmarks=points[big])
