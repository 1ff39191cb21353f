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

from utils.concurrency import FairLock, StreamLimit
from utils.errors import EmotionError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.frame_analysis import Frame, FrameAnalysis, FrameAnalyzer
from utils.inference.live_view import LiveView
from utils.inference.stream import LiveOptions, Stream
from utils.inference.timeline import LiveSnapshot
from utils.media.live_outputs.outputs import LiveOutputs
from utils.results import FrameResult

__all__ = ["LiveAnalyzer", "LiveOptions"]

logger = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
LATE_SECONDS = 0.5
MAX_FAILURES = 5


class LiveAnalyzer:
    """Analyses a live stream without ever making it wait.

    When it is free, one thread takes the newest frame that is due; frames overtaken in the meantime
    are counted and dropped, so that nothing can pile up. A thread that gets no frame for ten
    seconds ends. All methods are safe to call from any thread.

    Args:
        analyzer: Detector and classifier; may be shared between streams.
        options: The first options; see :meth:`set_options`.
        lock: Held during inference. Streams that share a processor share a lock, so that they take
            turns instead of slowing each other (and the coding of video) down.
        limit: How many streams may run at once, shared like the lock. A stream beyond the limit is
            not analysed, reports this as an error, and starts when another one ends.

    Attributes:
        view: How frames are shown; may be replaced while the stream runs.
        listener: Called in the analysing thread with the result of every analysed frame; has to
            return at once. None if there is no listener.
        outputs: Receives the same results, for other programs; closed when the stream ends. None if
            there is none.
    """

    def __init__(
        self,
        analyzer: EmotionAnalyzer,
        options: LiveOptions | None = None,
        *,
        lock: FairLock | None = None,
        limit: StreamLimit | None = None,
    ) -> None:
        self._analyzer = analyzer
        self._options = options or LiveOptions()
        self._lock, self._limit = lock or FairLock(), limit or StreamLimit()
        self._changed = threading.Condition()
        self._stream = Stream(FrameAnalyzer(analyzer), closed=True)
        self._thread: threading.Thread | None = None
        self._error: str | None = None
        self.view = LiveView()
        self.listener: Callable[[FrameResult], None] | None = None
        self.outputs: LiveOutputs | None = None
        self._gave_up = False
        self._stopped = -math.inf

    @property
    def options(self) -> LiveOptions:
        """The options of the next frame."""
        return self._options

    def set_options(self, options: LiveOptions) -> None:
        """Change the options, from the next frame on; the stream goes on."""
        self._options = options

    def start(self) -> None:
        """Start a new stream, with identities from 1.

        Has no effect while a stream runs, or while the stream limit is reached.
        """
        with self._changed:
            if self._thread is not None:
                return
            if not self._limit.acquire():
                self._error = (
                    "This server has reached its limit of live videos analysed at once "
                    f"({self._limit.max_streams}). "
                    "The analysis starts automatically when one of them ends."
                )
                return
            self._error, self._gave_up = None, False
            self._stream = Stream(FrameAnalyzer(self._analyzer))
            self._thread = threading.Thread(
                target=self._work, args=(self._stream,), name="live-analyzer", daemon=True
            )
            self._thread.start()

    def stop(self, wait: bool = True) -> None:
        """End the stream; may be called any number of times.

        Args:
            wait: Whether to return only when the thread has ended. If not, it ends after the frame
                that it is analysing; the result is discarded.
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
        """Offer a frame for analysis and return at once; starts the stream if it isn't running.

        Args:
            frame: RGB uint8 ``(H, W, 3)``; must not be changed afterwards.
            time: Media time in seconds.
        """
        with self._changed:
            if self._thread is None and not self._gave_up:
                # A frame that was on its way when the stream was stopped must not start a new one.
                if clock.monotonic() - self._stopped < LATE_SECONDS:
                    return
                self.start()
            self._stream.offer(Frame(frame, time, clock.monotonic()), self._options.interval)
            self._changed.notify_all()

    def process(self, frame: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """Offer a frame and draw the newest known result on it; takes a few milliseconds.

        If anything fails, the frame is returned as it is and :meth:`snapshot` reports the error.

        Args:
            frame: RGB uint8 ``(H, W, 3)``; not changed.
            time: Media time in seconds.

        Returns:
            RGB uint8 ``(H, W, 3)``.
        """
        try:
            self.submit(frame, time)
            result = self._result_at(time, (frame.shape[1], frame.shape[0]))
            drawn = self.view.draw(frame, result)
        except Exception as error:
            self._report(error)
            drawn = frame
        with self._changed:
            self._stream.drawn.tick(clock.monotonic())
        return drawn

    def displayed_frame(self) -> NDArray[np.uint8] | None:
        """Return the newest frame as it is shown, RGB uint8 ``(H, W, 3)``; None without one."""
        with self._changed:
            newest = self._stream.newest
        if newest is None:
            return None
        return self.view.draw(newest.image, self._result_at(newest.time, newest.size))

    def snapshot(self) -> LiveSnapshot:
        """Return the state of the stream at this moment."""
        with self._changed:
            running, newest = self._thread is not None, self._stream.newest
            stats = self._stream.stats(clock.monotonic())
            history, error = tuple(self._stream.history), self._error
        result = self._result_at(newest.time, newest.size) if newest else None
        return LiveSnapshot(running, self._analyzer.classes, result, history, stats, error)

    def _result_at(self, time: float, size: tuple[int, int]) -> FrameResult | None:
        with self._changed:
            analysis = self._stream.analysis
        return None if analysis is None else analysis.result_at(time, size)

    def _work(self, stream: Stream) -> None:
        try:
            while (frame := self._next(stream)) is not None:
                try:
                    self._analyse(stream, frame)
                except Exception as error:
                    self._fail(stream, error)
        finally:
            self._limit.release()
            if (outputs := self.outputs) is not None:
                outputs.close()

    def _next(self, stream: Stream) -> Frame | None:
        """Wait for a frame; return None if the stream ended or no frame came for a while."""
        with self._changed:
            self._changed.wait_for(
                lambda: stream.closed or not stream.waiting.is_empty, IDLE_SECONDS
            )
            frame = stream.waiting.take()
            if frame is None:
                self._end(stream)
            return frame

    def _end(self, stream: Stream) -> None:
        # If the stream is closed already, the current thread may be that of the next stream.
        if not stream.closed:
            stream.close()
            self._thread = None

    def _analyse(self, stream: Stream, frame: Frame) -> None:
        options = self._options
        with self._lock:
            began = clock.perf_counter()
            detecting = self._analyzer.with_detector(options.detector)
            stream.analyzer.configure(detecting, options.smoothing)
            analysis = stream.analyzer.analyze(frame)
            seconds = clock.perf_counter() - began
        self._publish(stream, analysis, seconds)
        if (heat := self.view.heat) is not None:
            with self._lock:
                heat.update(detecting, frame.image, faces=analysis.result.faces)

    def _publish(self, stream: Stream, analysis: FrameAnalysis, seconds: float) -> None:
        with self._changed:
            if not stream.closed:
                stream.publish(analysis, seconds=seconds, now=clock.monotonic())
                self._error = None
        if (listener := self.listener) is not None:
            listener(analysis.result)
        if (outputs := self.outputs) is not None:
            outputs.write(analysis.result, arrived=analysis.frame.arrived)

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
