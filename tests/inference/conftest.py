"""A live stream and a camera frame."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def analyzer() -> EmotionAnalyzer:
    return EmotionAnalyzer.load(detector="haar", device="cpu")


@pytest.fixture
def live(analyzer: EmotionAnalyzer) -> Iterator[LiveAnalyzer]:
    live = LiveAnalyzer(analyzer, LiveOptions(interval=1, detector="haar"))
    yield live
    live.stop()


@pytest.fixture(scope="module")
def face(astronaut: Picture) -> Picture:
    """A VGA camera frame with one face, RGB uint8 (480, 640, 3)."""
    return np.ascontiguousarray(
        cv2.copyMakeBorder(astronaut[:480], 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    )
