"""Writes annotated videos with the original timestamps and audio."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from utils.errors import VideoError

# The clock of MPEG: fine enough for every frame rate.
_CLOCK = Fraction(1, 90_000)


class VideoWriter:
    """Writes an MP4 file that every browser plays.

    Args:
        path: The file; an existing file is replaced.
        fps: Frames per second, a hint for the encoder; the timestamps decide.
        source: A video whose audio is copied, if MP4 supports its codec.

    Raises:
        VideoError: The file can't be written.
    """

    def __init__(self, path: Path, fps: float | None = None, *, source: Path | None = None) -> None:
        self.path = path
        self._fps = Fraction(fps or 25).limit_denominator(1001)
        try:
            path.touch()  # PyAV would fail only at the first frame
            self._container = av.open(str(path), "w", format="mp4")
        except (FFmpegError, OSError) as error:
            raise VideoError(f"{path}: can't be written ({error.strerror or error})") from error
        self._video: VideoStream | None = None
        self._audio = _AudioCopy(source) if source else None
        self._last = -1

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Append a frame.

        Args:
            image: RGB uint8 ``(H, W, 3)``, the same size for all frames. An odd side loses its last
                line, because the codec halves the colour resolution.
            time: Seconds since the first frame. A time that is not later than the previous one
                is moved just behind it.

        Raises:
            VideoError: The disk is full, or the file can't be written for another reason.
        """
        height, width = (side // 2 * 2 for side in image.shape[:2])
        if self._video is None:
            self._video = self._begin(width, height)
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[:height, :width]), format="rgb24"
        )
        self._last = max(round(time / _CLOCK), self._last + 1)
        frame.pts, frame.time_base = self._last, _CLOCK
        self._mux(self._video.encode(frame))
        if self._audio:
            self._mux(self._audio.until(time))

    def close(self) -> None:
        """Finish the file; may be called twice."""
        container, self._container = getattr(self, "_container", None), None  # type: ignore[assignment]
        if container is None:
            return
        try:
            if self._video is not None:
                container.mux(self._video.encode())
                if self._audio:
                    container.mux(list(self._audio.until(float("inf"))))
        except (FFmpegError, OSError) as error:
            raise VideoError(f"{self.path}: can't be written ({error})") from error
        finally:
            container.close()
            if self._audio:
                self._audio.close()

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

    def _mux(self, packets: "Iterable[Packet[Any]]") -> None:
        try:
            self._container.mux(list(packets))
        except (FFmpegError, OSError) as error:
            raise VideoError(f"{self.path}: can't be written ({error})") from error


class _AudioCopy:
    """Copies the audio packets of a file without re-encoding."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path))
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
            # An empty packet marks the end of a stream.
            return None if packet is None or packet.dts is None else packet
        except (FFmpegError, OSError):
            return None  # a truncated file keeps its frames, without the rest of its audio

    def close(self) -> None:
        """Close the file."""
        self._container.close()


_MP4_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
