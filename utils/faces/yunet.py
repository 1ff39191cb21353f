"""YuNet (Wu et al., 2023), a small and fast neural detector, run by OpenCV.

The user supplies the weights, published under the MIT licence in the opencv_zoo repository.
"""

import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.defaults import MIN_FACE
from utils.errors import DetectorError
from utils.faces.base import Detections, check_weights
from utils.faces.postprocess import make_detections, no_faces
from utils.faces.resize import shrink

WEIGHTS = "face_detection_yunet_2023mar.onnx"
WHERE = (
    f"YuNet needs {WEIGHTS}, published in the opencv_zoo repository on GitHub under "
    "models/face_detection_yunet; pass its path as the detector's weights"
)


class YunetDetector:
    """OpenCV's ``FaceDetectorYN`` with the user's ``.onnx`` file; provides five landmarks."""

    name = "yunet"

    def __init__(
        self,
        weights: Path | None,
        *,
        min_face: int = MIN_FACE,
        min_score: float = 0.7,
        max_side: int = 1024,
    ) -> None:
        """Load the network.

        Args:
            weights: Path of the ``.onnx`` file.
            min_face: Smallest face to detect (longer side of the box), in pixels of the image.
            min_score: Faces with a lower score are dropped.
            max_side: Larger images are scaled down to this side for detection.

        Raises:
            DetectorError: The file is not given, missing or not a YuNet network.
        """
        weights = check_weights(weights, WHERE)
        try:
            self._net = cv2.FaceDetectorYN.create(
                str(weights), "", (320, 320), score_threshold=min_score
            )
        except cv2.error as error:
            raise DetectorError(f"{weights}: not a readable network. {WHERE}.") from error
        self._lock = threading.Lock()  # setInputSize changes the state of the network
        self._weights = weights
        self._min_face = min_face
        self._max_side = max_side

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Detect faces in an RGB uint8 ``(H, W, 3)`` image.

        Raises:
            DetectorError: The loaded file is a network, but not YuNet.
        """
        small, scale = shrink(image, self._max_side)
        height, width = small.shape[:2]
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        try:
            with self._lock:
                self._net.setInputSize((width, height))
                _, rows = self._net.detect(bgr)
        except cv2.error as error:
            raise DetectorError(f"{self._weights}: not a YuNet network. {WHERE}.") from error
        if rows is None:
            return no_faces(landmarks=True)
        return self._parse(image, np.asarray(rows, dtype=np.float32), scale)

    def _parse(
        self, image: NDArray[np.uint8], rows: NDArray[np.float32], scale: float
    ) -> Detections:
        boxes, landmarks, scores = parse_rows(rows)
        boxes, landmarks = boxes / scale, landmarks / scale
        big = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= self._min_face
        return make_detections(image, boxes[big], scores=scores[big], landmarks=landmarks[big])


def parse_rows(
    rows: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Split YuNet's ``(N, 15)`` rows into boxes, landmarks ``(N, 5, 2)`` and scores.

    A row is x, y, width, height; the person's right eye, left eye, nose, right and left mouth
    corner; score. The person's right is the image's left, so the points keep their order.
    """
    boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
    return boxes, rows[:, 4:14].reshape(-1, 5, 2), rows[:, 14]
