"""The default detector: MTCNN with the weights of facenet-pytorch."""

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections
from utils.faces.mtcnn_cascade import Cascade
from utils.faces.postprocess import make_detections
from utils.faces.resize import pad, shrink

# Without a border MTCNN misses faces that fill or overflow the picture: on 200 training pictures of
# FER2013 it found none in 14 % without and in 8.5 % with it; 0.4 was no better than 0.25.
PADDING = 0.25
_SMALLEST = 20.0


class MtcnnDetector:
    """The default detector: five landmarks, faces turned up to about 45 degrees, on the CPU."""

    name = "mtcnn"

    def __init__(
        self,
        *,
        min_face: int = 20,
        min_score: float = 0.7,
        max_side: int = 1024,
        thresholds: tuple[float, float] = (0.6, 0.7),
    ) -> None:
        """Load the networks.

        Args:
            min_face: Smallest face looked for, in pixels of the picture; the search time falls
                with its square. The picture is scaled down until this face has 20 pixels, fewer
                than which the networks can't judge.
            min_score: Threshold of the last network (O-Net); faces scored lower are dropped.
            max_side: Pictures with a longer side are scaled down to it for the search; faces
                smaller than 20 pixels after that are not found.
            thresholds: Of the first two networks (P-Net, R-Net).
        """
        self._cascade = Cascade()
        self._min_face = min_face
        self._max_side = max_side
        self._thresholds = (*thresholds, min_score)

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find faces in an RGB uint8 ``(H, W, 3)`` picture."""
        longest = max(image.shape[:2]) * min(1.0, _SMALLEST / self._min_face)
        small, scale = shrink(image, min(self._max_side, max(1, round(longest))))
        padded, border = pad(small, PADDING)
        min_face = max(_SMALLEST, self._min_face * scale)
        boxes, scores, points = self._cascade.search(padded, min_face, self._thresholds, border)
        boxes, points = (boxes - border) / scale, (points - border) / scale
        # The search begins at about min_face, but also finds faces somewhat below.
        big = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) >= self._min_face
        return make_detections(image, boxes[big], scores[big], points[big])
