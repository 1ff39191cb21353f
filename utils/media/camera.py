"""Cameras of this computer or the network; only the newest frame is kept."""

import threading
import time as clock
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.errors import VideoError
from utils.media.video import VideoFrame

# A camera that delivers no frame for this long is treated as disconnected.
SILENT_SECONDS = 10.0


class CameraReader:
    """Delivers the newest frame of a camera; frames that arrive in the meantime are dropped.

    A thread reads the camera continuously: its driver would otherwise hand out buffered old frames.

    Args:
        camera: Its number (0 is the first), or an address that OpenCV opens: a device file or an
            ``rtsp://`` or ``http://`` stream.

    Attributes:
        name: The camera's name in results.

    Raises:
        VideoError: The camera can't be opened.
    """

    def __init__(self, camera: str) -> None:
        self.name = f"webcam {camera}" if camera.isdigit() else camera
        self._capture = cv2.VideoCapture(int(camera) if camera.isdigit() else camera)
        if not self._capture.isOpened():
            raise VideoError(
                f"{self.name}: can't be opened; check that it is connected, that access is allowed "
                "and that no other program is using it"
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
        """Yield the newest frame each time one is requested, until the camera ends.

        Raises:
            VideoError: The camera delivers no frame for ten seconds.
        """
        first, index = None, 0
        while (newest := self._take()) is not None:
            image, time = newest
            first = time if first is None else first
            rgb = np.ascontiguousarray(image[..., ::-1])
            yield VideoFrame(index, time - first, rgb, arrived=time)
            index += 1

    def _take(self) -> tuple[NDArray[np.uint8], float] | None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._newest or self._closed, SILENT_SECONDS):
                raise VideoError(
                    f"{self.name}: delivered no frame for {SILENT_SECONDS:.0f} seconds"
                )
            newest, self._newest = self._newest, None
            return newest

    def _read(self) -> None:
        while not self._closed:
            received, image = self._capture.read()
            with self._changed:
                if not received:
                    self._closed = True
                else:
                    self._newest = (np.asarray(image, np.uint8), clock.monotonic())
                self._changed.notify_all()
