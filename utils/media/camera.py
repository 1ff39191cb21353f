"""Cameras of this computer or the network, read so that only the newest picture waits."""

import threading
import time as clock
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.errors import VideoError
from utils.media.video import VideoFrame

# A camera that gives no picture for so many seconds is gone.
SILENT_SECONDS = 10.0


class CameraReader:
    """Gives the newest picture of a camera; those that nobody was free for are dropped.

    A thread reads the camera, as its driver would otherwise hand out old pictures.

    Args:
        camera: Its number (0 is the first) or an address that OpenCV knows: a device file, an
            ``rtsp://`` or ``http://`` stream.

    Attributes:
        name: What results call it.

    Raises:
        VideoError: It can't be opened.
    """

    def __init__(self, camera: str) -> None:
        self.name = f"webcam {camera}" if camera.isdigit() else camera
        self._capture = cv2.VideoCapture(int(camera) if camera.isdigit() else camera)
        if not self._capture.isOpened():
            raise VideoError(
                f"{self.name}: can't be opened; is it connected, allowed, and not used by another "
                "program?"
            )
        self._changed = threading.Condition()
        self._newest: tuple[NDArray[np.uint8], float] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._thread.start()

    def __enter__(self) -> "CameraReader":
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._closed = True
        self._thread.join()
        self._capture.release()

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the newest picture whenever one is asked for, until the camera ends.

        Raises:
            VideoError: The camera gives no picture for ten seconds.
        """
        first, index = None, 0
        while (newest := self._take()) is not None:
            image, time = newest
            first = time if first is None else first
            yield VideoFrame(index, time - first, np.ascontiguousarray(image[..., ::-1]))
            index += 1

    def _take(self) -> tuple[NDArray[np.uint8], float] | None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._newest or self._closed, SILENT_SECONDS):
                raise VideoError(f"{self.name}: gave no picture for {SILENT_SECONDS:.0f} seconds")
            newest, self._newest = self._newest, None
            return newest

    def _read(self) -> None:
        while not self._closed:
            there, image = self._capture.read()
            with self._changed:
                if not there:
                    self._closed = True
                else:
                    self._newest = (np.asarray(image, np.uint8), clock.monotonic())
                self._changed.notify_all()
