"""Live video: the newest frame is analysed in the background, every frame is drawn at once.

Nothing here knows of Streamlit, WebRTC or sockets; each of them hands frames to one
:class:`LiveAnalyzer` per viewer.
"""

import logging
import math
import threading
import time as clock
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from utils.concurrency import Gate
from utils.errors import EmotionError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.detection_schedule import DetectionSchedule
from utils.inference.live_view import LiveView
from utils.inference.stream import (
    Frame,
    FrameAnalysis,
    LiveOptions,
    Stream,
    analyze_frame,
    result_at,
)
from utils.inference.timeline import LiveSnapshot
from utils.inference.tracking import Track
from utils.results import FrameResult, Status

__all__ = ["LiveAnalyzer", "LiveOptions"]

logger = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
LATE_SECONDS = 0.5
MAX_FAILURES = 5


class LiveAnalyzer:
    """Analyses a live stream without ever making it wait.

    One thread takes the newest due frame when it is free; frames overtaken in the meantime are
    counted and dropped, so nothing can pile up. A thread that gets no frame for ten seconds ends.
    All methods are safe to call from any thread.

    Args:
        analyzer: Shared between viewers.
        options: Where to begin; see :meth:`set_options`.
        gate: Held during inference; viewers who share a machine share one, so that they take turns
            instead of slowing each other (and the coding of video) down. It also limits how many
            streams run; one too many stays without analysis, says so, and begins when another ends.

    Attributes:
        view: How frames are shown; may be replaced while the stream runs.
        listener: Called with the result of every analysed frame, in the analysing thread; has to
            return at once. None: nobody listens.
    """

    def __init__(
        self,
        analyzer: EmotionAnalyzer,
        options: LiveOptions | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._analyzer = analyzer
        self._options = options or LiveOptions()
        self._gate = gate or Gate()
        self._changed = threading.Condition()
        self._stream = Stream(closed=True)
        self._thread: threading.Thread | None = None
        self._error: str | None = None
        self.view = LiveView()
        self.listener: Callable[[FrameResult], None] | None = None
        self._gave_up = False
        self._stopped = -math.inf

    @property
    def options(self) -> LiveOptions:
        """The options that the next frame obeys."""
        return self._options

    def set_options(self, options: LiveOptions) -> None:
        """Change the options; the stream goes on."""
        self._options = options

    def start(self) -> None:
        """Begin a new stream, with face numbers from 1.

        Without effect while one runs, or while all places of the gate are taken.
        """
        with self._changed:
            if self._thread is not None:
                return
            if not self._gate.admit():
                self._error = (
                    "All places are taken: this server analyses at most "
                    f"{self._gate.max_streams} live videos at once. The analysis begins by itself "
                    "when one of them ends."
                )
                return
            self._error, self._gave_up = None, False
            self._stream = Stream()
            self._thread = threading.Thread(
                target=self._work, args=(self._stream,), name="live-analyzer", daemon=True
            )
            self._thread.start()

    def stop(self, wait: bool = True) -> None:
        """End the stream; may be called any number of times.

        Args:
            wait: Return only when the thread has ended. Without, it ends by itself after the frame
                that it is analysing; its result is thrown away.
        """
        with self._changed:
            thread, self._thread = self._thread, None
            self._stopped = clock.monotonic()
            self._error, self._gave_up = None, False
            self._stream.close()
            self._changed.notify_all()
        if wait and thread is not None:
            thread.join()

    def submit(self, frame: NDArray[np.uint8], time: float) -> None:
        """Hand over a frame and return at once; starts the stream if it isn't running.

        Args:
            frame: RGB uint8 ``(H, W, 3)``; must not be changed afterwards.
            time: Media time in seconds.
        """
        with self._changed:
            if self._thread is None and not self._gave_up:
                # A frame on its way while the stream was stopped is not a new stream.
                if clock.monotonic() - self._stopped < LATE_SECONDS:
                    return
                self.start()
            self._stream.offer(Frame(frame, time, clock.monotonic()), self._options.interval)
            self._changed.notify_all()

    def process(self, frame: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """Hand over a frame and draw the newest known result on it; takes a few milliseconds.

        Whatever goes wrong, a frame comes back: the error is reported by :meth:`snapshot`.

        Args:
            frame: RGB uint8 ``(H, W, 3)``; not changed.
            time: Media time in seconds.

        Returns:
            RGB uint8 ``(H, W, 3)``.
        """
        try:
            self.submit(frame, time)
            result = self._result_at(time, frame.shape)
            drawn = self.view.draw(frame, result)
        except Exception as error:
            self._report(error)
            drawn = frame
        with self._changed:
            self._stream.drawn.tick(clock.monotonic())
        return drawn

    def picture(self) -> NDArray[np.uint8] | None:
        """Return the newest frame as it is shown, RGB uint8 ``(H, W, 3)``; None without one."""
        with self._changed:
            newest = self._stream.newest
        if newest is None:
            return None
        return self.view.draw(newest.image, self._result_at(newest.time, newest.image.shape))

    def snapshot(self) -> LiveSnapshot:
        """Return what is known now."""
        with self._changed:
            running, newest = self._thread is not None, self._stream.newest
            stats = self._stream.stats(clock.monotonic())
            history, error = tuple(self._stream.history), self._error
        result = self._result_at(newest.time, newest.image.shape) if newest else None
        return LiveSnapshot(running, self._analyzer.classes, result, history, stats, error)

    def _result_at(self, time: float, shape: tuple[int, ...]) -> FrameResult | None:
        with self._changed:
            shown = self._stream.shown
        if shown is None:
            return None
        return result_at(shown, time, (shape[1], shape[0]), self._analyzer)

    def _work(self, stream: Stream) -> None:
        try:
            while (frame := self._next(stream)) is not None:
                try:
                    self._analyse(stream, frame)
                except Exception as error:
                    self._fail(stream, error)
        finally:
            self._gate.leave()

    def _next(self, stream: Stream) -> Frame | None:
        """Wait for a frame; None when the stream has ended or nothing came for a while."""
        with self._changed:
            self._changed.wait_for(lambda: stream.slot or stream.closed, IDLE_SECONDS)
            frame = stream.take()
            if frame is None:
                self._end(stream)
            return frame

    def _end(self, stream: Stream) -> None:
        # A closed stream has left the analyzer already; the thread there now may be its successor.
        if not stream.closed:
            stream.close()
            self._thread = None

    def _analyse(self, stream: Stream, frame: Frame) -> None:
        options = self._options
        with self._gate:
            began = clock.perf_counter()
            analyzer = self._analyzer.with_detector(options.detector)
            if stream.detector != options.detector:  # boxes are cropped as their own detector's
                stream.detector, stream.plan = options.detector, DetectionSchedule()
            shown, seen = analyze_frame(
                analyzer, stream.tracker, stream.plan, frame, options.smoothing
            )
            seconds = clock.perf_counter() - began
        off = shown.status is Status.CAMERA_OFF
        self._publish(stream, shown, seen, None if off else seconds)
        if (heat := self.view.heat) is not None:
            size = (frame.image.shape[1], frame.image.shape[0])
            faces = result_at(shown, frame.time, size, analyzer).faces
            with self._gate:
                heat.update(analyzer, frame.image, faces)

    def _publish(
        self, stream: Stream, shown: FrameAnalysis, seen: tuple[Track, ...], seconds: float | None
    ) -> None:
        with self._changed:
            if not stream.closed:
                stream.publish(shown, seen, seconds, clock.monotonic())
                self._error = None
        if (listener := self.listener) is not None:
            height, width = shown.frame.image.shape[:2]
            listener(result_at(shown, shown.frame.time, (width, height), self._analyzer))

    def _fail(self, stream: Stream, error: Exception) -> None:
        self._report(error)
        with self._changed:
            stream.failures += 1
            if stream.failures >= MAX_FAILURES and not stream.closed:
                self._gave_up = True
                self._error = f"{self._error} The analysis stopped after {MAX_FAILURES} failures."
                self._end(stream)

    def _report(self, error: Exception) -> None:
        if isinstance(error, EmotionError):
            sentence = str(error)
        else:
            logger.error("live analysis failed", exc_info=error)
            sentence = f"A frame could not be analysed ({type(error).__name__}: {error})."
        with self._changed:
            self._error = sentence
