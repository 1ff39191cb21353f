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

# Without playlists (HLS, DASH, concat): those make a file read other files or fetch addresses.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,flv,ogg,mjpeg,gif,"
    "yuv4mpegpipe,apng,webp_pipe,h264,hevc,ivf"
)


@dataclass(frozen=True)
class VideoFrame:
    """One decoded picture.

    Attributes:
        index: 0, 1, … in the order of showing.
        time: Seconds since the first picture, by the file's own time stamps.
        image: RGB uint8 ``(H, W, 3)``, upright.
    """

    index: int
    time: float
    image: NDArray[np.uint8]


class VideoReader:
    """Reads a video's pictures in order, upright and with their times.

    Example:
        >>> with VideoReader(Path("clip.mp4")) as video:
        ...     for frame in video:
        ...         print(frame.time, frame.image.shape)

    Args:
        source: A path, or an opened binary file.
        name: What results and messages call it; the path if None.

    Attributes:
        name: What results and messages call it.
        fps: Average pictures a second, as the file says; None if it does not.
        size: Width and height in pixels, as the file says, before it is turned upright.
        duration: Seconds, as the file says; None if it does not.
        problem: After reading, a sentence if the file broke off; else None.

    Raises:
        VideoError: The file is missing, no video, or has no picture that can be decoded.
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
            raise VideoError(f"{self.name}: can't be read as a video ({_reason(error)})") from error
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(f"{self.name}: has no video, only {self._kinds()}")
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
        """Yield the pictures; a file that breaks off yields what is there and sets ``problem``.

        Raises:
            VideoError: Not one picture can be decoded.
        """
        first, last, index = None, 0.0, 0
        try:
            for picture in self._container.decode(video=0):
                time = picture.time if picture.time is not None else self._guess(last, index)
                first = time if first is None else first
                # Time stamps of damaged files may step back; time lines may not.
                last = max(time - first, last)
                image = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
                yield VideoFrame(index, last, _upright(image, picture.rotation))
                index += 1
        except (FFmpegError, OSError) as error:
            self.problem = (
                f"{self.name}: broke off after {last:.1f} seconds, {index} pictures "
                f"({_reason(error)})"
            )
        if not index:
            raise VideoError(self.problem or f"{self.name}: holds no picture")

    def _guess(self, last: float, index: int) -> float:
        return last + 1 / (self.fps or 25.0) if index else 0.0

    def _kinds(self) -> str:
        kinds = sorted({stream.type for stream in self._container.streams})
        return ", ".join(kinds) or "an empty container"


def _upright(image: NDArray[np.uint8], rotation: float) -> NDArray[np.uint8]:
    """Undo a telephone's turn: ``rotation`` is the counter-clockwise degrees to show it by."""
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
