"""OpenCV's ResNet-10 SSD face detector (Caffe, 2017).

The user supplies the weights: the network is published with OpenCV's samples.
"""

import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.defaults import MIN_FACE
from utils.errors import DetectorError
from utils.faces.base import Detections, check_weights
from utils.faces.postprocess import make_detections

WEIGHTS = "res10_300x300_ssd_iter_140000.caffemodel"
PROTOTXT = "deploy.prototxt"
WHERE = (
    f"The SSD detector needs {WEIGHTS} (opencv/opencv_3rdparty on GitHub, branch "
    f"dnn_samples_face_detector_20170830) and beside it {PROTOTXT} (opencv/opencv, "
    "samples/dnn/face_detector); pass the path of the former as the detector's weights"
)
INPUT_SIZE = (300, 300)
MEAN_BGR = (104.0, 177.0, 123.0)


class SsdDetector:
    """Robust for medium and large faces; the fixed 300 x 300 input loses small ones."""

    name = "ssd"

    def __init__(
        self, weights: Path | None, *, min_face: int = MIN_FACE, min_score: float = 0.5
    ) -> None:
        """Load the network.

        Args:
            weights: Path of the ``.caffemodel``; ``deploy.prototxt`` is in the same folder.
            min_face: Smallest face to detect (longer side of the box), in pixels of the image.
            min_score: Faces with a lower score are dropped.

        Raises:
            DetectorError: A file is not given, missing or not a readable network.
        """
        weights = check_weights(weights, WHERE)
        prototxt = check_weights(weights.with_name(PROTOTXT), WHERE)
        try:
            self._net = cv2.dnn.readNetFromCaffe(str(prototxt), str(weights))
        except cv2.error as error:
            raise DetectorError(f"{weights}: not a readable network. {WHERE}.") from error
        self._lock = threading.Lock()  # setInput and forward must not interleave
        self._min_face = min_face
        self._min_score = min_score

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Detect faces in an RGB uint8 ``(H, W, 3)`` image."""
        # INTER_AREA averages; blobFromImage alone would skip pixels.
        small = cv2.resize(image, INPUT_SIZE, interpolation=cv2.INTER_AREA)
        blob = cv2.dnn.blobFromImage(small, 1.0, INPUT_SIZE, MEAN_BGR, swapRB=True)
        with self._lock:
            self._net.setInput(blob)
            rows = self._net.forward()[0, 0].copy()
        height, width = image.shape[:2]
        boxes, scores = parse_rows(rows, width, height)
        wanted = (scores >= self._min_score) & (
            (boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= self._min_face
        )
        return make_detections(image, boxes[wanted], scores=scores[wanted])


def parse_rows(
    rows: NDArray[np.float32], width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Split SSD's ``(N, 7)`` rows into boxes ``(N, 4)`` in pixels and scores ``(N,)``.

    A row is image index, class, score, then x1, y1, x2, y2 as fractions of the image's sides.
    """
    return rows[:, 3:7] * np.array([width, height] * 2, dtype=np.float32), rows[:, 2]
