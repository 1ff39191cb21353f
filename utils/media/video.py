"""Video files: decoded upright and with their true times."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError
from numpy.typing import NDArray

from utils.errors import TooLargeError, VideoError, error_boundary
from utils.files import unusable_reason
from utils.media.images import MAX_PIXELS

# Playlists (HLS, DASH, concat) are excluded: they can make a file open other files or fetch URLs.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,flv,ogg,mjpeg,gif,"
    "yuv4mpegpipe,apng,webp_pipe,h264,hevc,ivf"
)
# What PyAV has been observed to raise on damaged files.
_DECODE_ERRORS = (FFmpegError, OSError, ValueError, OverflowError, MemoryError)


@dataclass(frozen=True)
class VideoFrame:
    """One decoded frame.

    Attributes:
        index: 0, 1, … in presentation order.
        time: Seconds since the first frame, from the file's own timestamps.
        image: RGB uint8 ``(H, W, 3)``, upright.
        arrived: When a camera's frame arrived, in seconds of ``time.monotonic``; None in a file.
    """

    index: int
    time: float
    image: NDArray[np.uint8]
    arrived: float | None = None


class VideoReader:
    """Reads a video's frames in order, upright and with their timestamps.

    Example:
        >>> with VideoReader(Path("clip.mp4")) as video:
        ...     for frame in video:
        ...         print(frame.time, frame.image.shape)

    Args:
        source: A path, or an open binary file.
        name: The name of the video in results and error messages; the path if None.
        max_pixels: Larger frames are refused before they are decoded.

    Attributes:
        name: The name of the video in results and error messages.
        fps: Average frames per second according to the file; None if unknown.
        size: Width and height in pixels according to the file, before rotation is applied.
        duration: Length in seconds according to the file; None if unknown.
        problem: After reading, a sentence if the file is truncated; otherwise None.

    Raises:
        TooLargeError: According to its header, the video exceeds ``max_pixels``.
        VideoError: The file is missing, is not a video, or contains no frame that can be decoded.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        name: str | None = None,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.name = name or (str(source) if isinstance(source, Path) else "the video")
        self.problem: str | None = None
        self._max_pixels = max_pixels
        self._container = open_container(source, self.name)
        try:
            with error_boundary(self._unusable, known=_DECODE_ERRORS):
                self._read_header()
        except BaseException:
            self._container.close()
            raise

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
        frames = self._container.decode(video=0)
        try:
            while decoded := self._decode(frames, f"{last:.1f} seconds, {index} frames"):
                time, image = decoded
                time = self._estimate_time(last, index) if time is None else time
                first = time if first is None else first
                # Timestamps of damaged files may go backwards; timelines must not.
                last = max(time - first, last)
                yield VideoFrame(index, last, image)
                index += 1
        except VideoError as error:
            if not index:
                raise
            self.problem = str(error)
        if not index:
            raise VideoError(f"{self.name}: contains no frame")

    def _decode(
        self, frames: Iterator[av.VideoFrame], so_far: str
    ) -> tuple[float | None, NDArray[np.uint8]] | None:
        """Return the time and image of the next frame; None at the end."""

        def broken(reason: str) -> VideoError:
            return VideoError(f"{self.name}: ends prematurely after {so_far} ({reason})")

        with error_boundary(broken, known=_DECODE_ERRORS):
            try:
                frame = next(frames, None)
            except ArgumentError as error:  # what FFmpeg says of both
                limit = f"damaged, or a frame of more than {self._max_pixels / 1e6:g} megapixels"
                raise broken(limit) from error
            if frame is None:
                return None
            image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            return frame.time, _upright(image, frame.rotation)

    def _read_header(self) -> None:
        if not self._container.streams.video:
            raise VideoError(f"{self.name}: contains no video stream, only {self._kinds()}")
        stream = self._container.streams.video[0]
        if stream.codec_context is None:
            raise VideoError(f"{self.name}: has an unknown codec; convert it to MP4 with H.264")
        stream.thread_type = "AUTO"
        # The frames may be larger than the header says: FFmpeg compares each with this limit before
        # it allocates memory for it.
        stream.codec_context.options = {"max_pixels": str(self._max_pixels)}
        self.size = (stream.width, stream.height)
        if stream.width * stream.height > self._max_pixels:
            raise TooLargeError(
                f"{self.name} has frames of {stream.width} x {stream.height} pixels; the limit is "
                f"{self._max_pixels / 1e6:g} megapixels"
            )
        self.fps = float(stream.average_rate) if stream.average_rate else None
        length = self._container.duration
        self.duration = length / av.time_base if length else None

    def _unusable(self, reason: str) -> VideoError:
        return _cannot_open(self.name, reason)

    def _estimate_time(self, last: float, index: int) -> float:
        return last + 1 / (self.fps or 25.0) if index else 0.0

    def _kinds(self) -> str:
        kinds = sorted({stream.type for stream in self._container.streams})
        return ", ".join(kinds) or "an empty container"


def _upright(image: NDArray[np.uint8], rotation: float) -> NDArray[np.uint8]:
    """Rotate a frame for display; ``rotation`` is in degrees, counter-clockwise."""
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def open_container(source: Path | BinaryIO, name: str) -> InputContainer:
    """Open a video or sound file with PyAV; its metadata may have any encoding.

    Args:
        source: A path, or an open binary file.
        name: The name of the file in error messages.

    Raises:
        VideoError: The file is missing, or is no such file.
    """
    if isinstance(source, Path) and (reason := unusable_reason(source)):
        raise VideoError(f"{name}: {reason}")
    with error_boundary(lambda reason: _cannot_open(name, reason), known=_DECODE_ERRORS):
        return av.open(
            str(source) if isinstance(source, Path) else source,
            "r",
            options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )


def _cannot_open(name: str, reason: str) -> VideoError:
    return VideoError(f"{name}: can't be opened as a video ({reason})")
