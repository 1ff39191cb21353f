"""Video files: decoded upright and with their true times."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from utils.errors import VideoError

# Playlists (HLS, DASH, concat) are excluded: they can make a file open other files or fetch URLs.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,flv,ogg,mjpeg,gif,"
    "yuv4mpegpipe,apng,webp_pipe,h264,hevc,ivf"
)


@dataclass(frozen=True)
class VideoFrame:
    """One decoded frame.

    Attributes:
        index: 0, 1, … in presentation order.
        time: Seconds since the first frame, from the file's own timestamps.
        image: RGB uint8 ``(H, W, 3)``, upright.
    """

    index: int
    time: float
    image: NDArray[np.uint8]


class VideoReader:
    """Reads a video's frames in order, upright and with their timestamps.

    Example:
        >>> with VideoReader(Path("clip.mp4")) as video:
        ...     for frame in video:
        ...         print(frame.time, frame.image.shape)

    Args:
        source: A path, or an open binary file.
        name: The name of the video in results and error messages; the path if None.

    Attributes:
        name: The name of the video in results and error messages.
        fps: Average frames per second according to the file; None if unknown.
        size: Width and height in pixels according to the file, before rotation is applied.
        duration: Length in seconds according to the file; None if unknown.
        problem: After reading, a sentence if the file is truncated; otherwise None.

    Raises:
        VideoError: The file is missing, is not a video, or contains no frame that can be decoded.
    """

    def __init__(self, source: Path | BinaryIO, name: str | None = None) -> None:
        self.name = name or (str(source) if isinstance(source, Path) else "the video")
        self.problem: str | None = None
        if isinstance(source, Path) and not source.is_file():
            raise VideoError(f"{self.name}: no such file")
        try:
            self._container = av.open(
                str(source) if isinstance(source, Path) else source,
                "r",
                options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"},
            )
        except (FFmpegError, OSError) as error:
            raise VideoError(
                f"{self.name}: can't be opened as a video ({_reason(error)})"
            ) from error
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(f"{self.name}: contains no video stream, only {self._kinds()}")
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self.size = (stream.width, stream.height)
        self.fps = float(stream.average_rate) if stream.average_rate else None
        length = self._container.duration
        self.duration = length / av.time_base if length else None

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *error: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the frames; a truncated file yields what can be decoded and sets ``problem``.

        Raises:
            VideoError: No frame can be decoded.
        """
        first, last, index = None, 0.0, 0
        try:
            for frame in self._container.decode(video=0):
                time = frame.time if frame.time is not None else self._estimate_time(last, index)
                first = time if first is None else first
                # Timestamps of damaged files may go backwards; timelines must not.
                last = max(time - first, last)
                image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                yield VideoFrame(index, last, _upright(image, frame.rotation))
                index += 1
        except (FFmpegError, OSError) as error:
            self.problem = (
                f"{self.name}: ends prematurely after {last:.1f} seconds, {index} frames "
                f"({_reason(error)})"
            )
        if not index:
            raise VideoError(self.problem or f"{self.name}: contains no frame")

    def _estimate_time(self, last: float, index: int) -> float:
        return last + 1 / (self.fps or 25.0) if index else 0.0

    def _kinds(self) -> str:
        kinds = sorted({stream.type for stream in self._container.streams})
        return ", ".join(kinds) or "an empty container"


def _upright(image: NDArray[np.uint8], rotation: float) -> NDArray[np.uint8]:
    """Rotate a frame for display; ``rotation`` is in degrees, counter-clockwise."""
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
