"""Writes annotated videos with the original timestamps and audio."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, TypeVar

import av
import numpy as np
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from utils.errors import EmotionError, OutputError, VideoError, error_boundary, reason_of
from utils.files import part_of
from utils.media.video import open_container

T = TypeVar("T")
# The clock of MPEG: fine enough for every frame rate.
_CLOCK = Fraction(1, 90_000)


class VideoWriter:
    """Writes an MP4 file that every browser plays.

    The file appears under its name when it is complete: on leaving ``with`` without an exception,
    or on :meth:`close`.

    Args:
        path: The file; an existing file is replaced.
        fps: Frames per second, a hint for the encoder; the timestamps decide.
        source: A video whose audio is copied, if MP4 supports its codec.

    Raises:
        OutputError: The file can't be written.
        VideoError: ``source`` can't be opened.
    """

    def __init__(self, path: Path, fps: float | None = None, *, source: Path | None = None) -> None:
        self.path, self._part = path, part_of(path)
        self._fps = Fraction(fps or 25).limit_denominator(1001)
        self._audio = _AudioCopy(source) if source else None
        try:
            self._file = _UnfailingFile(self._part)
        except OSError as error:
            raise OutputError(f"{path}: can't be written ({reason_of(error)})") from error
        self._container = av.open(self._file, "w", format="mp4")
        self._video: VideoStream | None = None
        self._last = -1
        self._open = True

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Append a frame.

        Args:
            image: RGB uint8 ``(H, W, 3)``, the same size for all frames. An odd side loses its last
                line, because the codec halves the colour resolution.
            time: Seconds since the first frame. A time that is not later than the previous one
                is moved just behind it.

        Raises:
            OutputError: The disk is full, or the file can't be written for another reason.
            VideoError: The frame can't be encoded, because of its size for example.
        """
        try:
            with self._encoding():
                self._encode(image, time)
            self._check()
        except EmotionError:
            # FFmpeg's muxers may crash if they are used after an error.
            self.discard()
            raise

    def close(self) -> None:
        """Complete the file and give it its name; may be called twice.

        Raises:
            OutputError: The rest can't be written; the file is deleted.
            VideoError: The rest can't be encoded; the file is deleted.
        """
        if not self._open:
            return
        try:
            with self._encoding():
                if self._video is not None:
                    self._container.mux(self._video.encode())
                    self._copy_audio(until=float("inf"))
                self._container.close()
            self._file.close()
            self._check()
            os.replace(self._part, self.path)
        except OSError as error:
            raise OutputError(f"{self.path}: can't be written ({reason_of(error)})") from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Delete the file unless it was completed; may be called twice."""
        if not self._open:
            return
        self._open = False
        self._file.close()  # first, so that PyAV leaves out the trailer
        with suppress(FFmpegError, OSError, ValueError):
            self._container.close()
        if self._audio:
            self._audio.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _encoding(self) -> AbstractContextManager[None]:
        return error_boundary(
            lambda reason: VideoError(f"{self.path}: can't be encoded ({reason})"),
            known=(FFmpegError, OSError, ValueError, OverflowError, MemoryError),
        )

    def _check(self) -> None:
        if error := self._file.error:
            raise OutputError(f"{self.path}: can't be written ({reason_of(error)})") from error

    def _encode(self, image: NDArray[np.uint8], time: float) -> None:
        height, width = (side // 2 * 2 for side in image.shape[:2])
        if not (height and width):
            raise VideoError(f"{self.path}: can't be encoded (an image needs 2 x 2 pixels)")
        if self._video is None:
            self._video = self._begin(width, height)
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[:height, :width]), format="rgb24"
        )
        self._last = max(round(time / _CLOCK), self._last + 1)
        frame.pts, frame.time_base = self._last, _CLOCK
        self._container.mux(self._video.encode(frame))
        self._copy_audio(until=time)

    def _copy_audio(self, until: float) -> None:
        if self._audio:
            self._container.mux(list(self._audio.until(until)))

    def _begin(self, width: int, height: int) -> VideoStream:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        video = self._container.add_stream(codec, rate=self._fps)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = _CLOCK
        if codec == "libx264":
            video.options = {"preset": "veryfast", "crf": "20"}
        if self._audio and self._audio.stream:
            self._audio.target = self._container.add_stream_from_template(self._audio.stream)
        return video


class _UnfailingFile:
    """A file for PyAV that keeps its first error, and discards what is written from then on.

    FFmpeg's MP4 muxer crashes if it is used or closed after the header could not be written.

    Attributes:
        error: The first error; None if there was none.
        closed: Whether it is closed; PyAV does not complete a closed file.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("wb")
        self.error: OSError | None = None
        self.closed = False

    def write(self, data: bytes) -> int:
        self._do(lambda file: file.write(data))
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._do(lambda file: file.seek(offset, whence))

    def tell(self) -> int:
        return self._do(lambda file: file.tell())

    def close(self) -> None:
        self._do(lambda file: file.close())
        self.closed = True

    def _do(self, action: Callable[[IO[bytes]], T]) -> T:
        try:
            return action(self._file)
        except OSError as error:
            self.error = self.error or error
            with suppress(OSError):
                self._file.close()
            self._file = Path(os.devnull).open("wb")  # noqa: SIM115 - open until close()
            return action(self._file)


class _AudioCopy:
    """Copies the audio packets of a file without re-encoding."""

    def __init__(self, path: Path) -> None:
        self._container = open_container(path, str(path))
        streams = [s for s in self._container.streams.audio if s.codec_context.name in _MP4_AUDIO]
        self.stream: AudioStream | None = streams[0] if streams else None
        self.target: AudioStream | None = None
        self._packets = self._container.demux(self.stream) if self.stream else iter(())
        self._pending: Packet[Any] | None = None

    def until(self, time: float) -> "Iterator[Packet[Any]]":
        """Yield the packets up to a time in seconds."""
        while (packet := self._pending or self._next()) is not None:
            self._pending = None
            start = float(packet.pts * packet.time_base) if packet.pts is not None else 0.0
            if start > time:
                self._pending = packet
                return
            packet.stream = self.target
            yield packet

    def _next(self) -> "Packet[Any] | None":
        try:
            packet = next(self._packets, None)
        except (FFmpegError, OSError, ValueError, OverflowError):
            return None  # a truncated file keeps its frames, without the rest of its audio
        # An empty packet marks the end of a stream.
        return None if packet is None or packet.dts is None else packet

    def close(self) -> None:
        """Close the file."""
        self._container.close()


_MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
