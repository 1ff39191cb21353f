"""A video track on which the newest frame wins: nothing waits in a queue between camera and page.

The relay of streamlit-webrtc puts an unbounded queue in front of the encoder. On a busy processor,
where encoding is the slowest step, the frames shown fall ever further behind the camera. Here the
encoder asks for a frame when it is free and gets the newest one; the others are dropped before
they are drawn and encoded. A busy machine shows fewer frames per second, not older ones.
"""

import asyncio
import threading
import time as clock
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import VIDEO_CLOCK_RATE, VIDEO_TIME_BASE, MediaStreamError
from streamlit_webrtc.relay import get_global_relay

from utils.concurrency import NewestSlot

_RECENT_SECONDS = 2.0


class VideoDelay:
    """How long the newest frames took from the decoder to the network; any thread may read it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._delays: deque[tuple[float, float]] = deque(maxlen=60)

    def add(self, arrived: float) -> None:
        """Note that a frame, decoded at ``arrived`` (monotonic seconds), has just been sent."""
        now = clock.monotonic()
        with self._guard:
            self._delays.append((now, now - arrived))

    def milliseconds(self) -> float | None:
        """Return the median of the last two seconds; None if no frame was sent in them."""
        since = clock.monotonic() - _RECENT_SECONDS
        with self._guard:
            recent = [delay for sent, delay in self._delays if sent >= since]
        return 1000 * float(np.median(recent)) if recent else None


class NewestFrameTrack(MediaStreamTrack):
    """Takes the camera's frames in as a sink and gives the newest one, drawn, to the encoder.

    Pass one to ``webrtc_streamer`` as ``sink_video_track`` and ``source_video_track``. Apart from
    the constructor and :meth:`stop`, its methods are called in the event loop of the connection.

    Args:
        draw: Returns a frame as it is shown; called in a thread of its own.
        delay: Learns how long each frame took.
        on_end: Called once, when the video ends.
    """

    kind = "video"

    def __init__(
        self,
        draw: Callable[[av.VideoFrame], av.VideoFrame],
        delay: VideoDelay,
        on_end: Callable[[], None],
    ) -> None:
        super().__init__()
        self._draw, self._delay, self._on_end = draw, delay, on_end
        self._camera: MediaStreamTrack | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._newest: NewestSlot[tuple[av.VideoFrame, float]] = NewestSlot()
        self._changed = asyncio.Event()
        self._encoding: float | None = None
        self._began = 0.0

    def addTrack(self, track: MediaStreamTrack) -> None:
        """Take the camera's track."""
        self._camera = track

    def hasTrack(self) -> bool:
        """Return whether there is a camera."""
        return self._camera is not None

    def start(self) -> None:
        """Begin to take frames in."""
        if self._camera is not None:
            self._loop = asyncio.get_running_loop()
            self._receiving = self._loop.create_task(self._receive(self._camera))

    def stop(self) -> None:
        """End the video; may be called any number of times, from any thread."""
        if self.readyState == "live":
            super().stop()
            self._on_end()
            if self._loop is not None:
                with suppress(RuntimeError):  # the server shuts down, its event loop is closed
                    self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
        self._newest.clear()
        self._changed.set()

    async def _receive(self, camera: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while self.readyState == "live":
                frame = await camera.recv()
                if isinstance(frame, av.VideoFrame):
                    self._newest.put((frame, clock.monotonic()))
                    self._changed.set()
        self.stop()

    async def recv(self) -> av.VideoFrame:
        """Return the newest frame, drawn; waits for the next one if it has been returned before.

        Raises:
            MediaStreamError: The video has ended.
        """
        # Asked for the next frame, the encoder has sent the previous one.
        if self._encoding is not None:
            self._delay.add(self._encoding)
        frame, self._encoding = await self._next()
        drawn = await asyncio.get_running_loop().run_in_executor(None, self._draw, frame)
        # The browser holds frames back as long as their times of arrival differ from these.
        now = clock.monotonic()
        self._began = self._began or now
        drawn.pts, drawn.time_base = int((now - self._began) * VIDEO_CLOCK_RATE), VIDEO_TIME_BASE
        return drawn

    async def _next(self) -> tuple[av.VideoFrame, float]:
        while self.readyState == "live":
            if (newest := self._newest.take()) is not None:
                return newest
            await self._changed.wait()
            self._changed.clear()
        raise MediaStreamError


def bypass_relay() -> None:
    """Hand tracks to their reader without the relay and its queues, on the whole server.

    Each track has one reader here. ``webrtc_streamer`` has no option for this: it subscribes
    through the server's only relay.
    """

    def subscribe(track: MediaStreamTrack, buffered: bool = True) -> MediaStreamTrack:
        return track

    get_global_relay().subscribe = subscribe  # type: ignore[method-assign]
