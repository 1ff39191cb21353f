"""The state of a live stream from start to stop, apart from the threads that work on it."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from utils.concurrency import NewestSlot
from utils.defaults import CHART_TAU, DETECTOR, INTERVAL, TAU
from utils.errors import ConfigError
from utils.inference.frame_analysis import Frame, FrameAnalysis, FrameAnalyzer
from utils.inference.timeline import HISTORY_ROWS, LiveStats, Rate, TimelineRow, timeline_rows
from utils.inference.tracking.smoothing import Smoother, Smoothing


@dataclass(frozen=True)
class LiveOptions:
    """Options that may change while a stream runs.

    Attributes:
        interval: Every N-th frame is analysed.
        detector: Name of the face detector.
        tau: Time constant in seconds of the displayed probabilities, 0 to 10.
        chart_tau: Time constant in seconds of the timeline, 0 to 10.

    Raises:
        ConfigError: A value is out of range.
    """

    interval: int = INTERVAL
    detector: str = DETECTOR
    tau: float = field(default=TAU, kw_only=True)
    chart_tau: float = field(default=CHART_TAU, kw_only=True)

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ConfigError(f"interval must be a whole number from 1, not {self.interval}.")
        for name in ("tau", "chart_tau"):
            if not 0 <= getattr(self, name) <= 10:
                raise ConfigError(f"{name} must be 0 to 10 seconds, not {getattr(self, name)}.")

    @property
    def smoothing(self) -> Smoothing:
        """The smoothing with both time constants."""
        return Smoothing(Smoother(self.tau), Smoother(self.chart_tau))


@dataclass
class Stream:
    """The state of one run from start to stop; its owner holds a lock around every access.

    Attributes:
        analyzer: Analyses the frames; used by the analysing thread only, without the lock.
        closed: Whether the run has ended; nothing is taken or published any more.
        waiting: The newest frame that waits for analysis.
        newest: The last frame that came in, whether it is due for analysis or not.
        analysis: The newest analysis.
        failures: Number of consecutive analyses that failed.
        history: Rows of the timeline, oldest first; only the last ``HISTORY_ROWS`` are kept.
        drawn: Rate of the frames that were drawn and returned.
    """

    analyzer: FrameAnalyzer
    closed: bool = False
    waiting: NewestSlot[Frame] = field(default_factory=NewestSlot)
    newest: Frame | None = None
    analysis: FrameAnalysis | None = None
    failures: int = 0
    history: deque[TimelineRow] = field(default_factory=lambda: deque(maxlen=HISTORY_ROWS))
    drawn: Rate = field(default_factory=Rate)
    _durations: deque[float] = field(default_factory=lambda: deque(maxlen=30))
    _received: Rate = field(default_factory=Rate)
    _analysed: Rate = field(default_factory=Rate)
    _count: int = 0

    def offer(self, frame: Frame, interval: int) -> None:
        """Take a frame in; every ``interval``-th one waits for analysis."""
        self._received.tick(frame.arrived)
        if self.closed:
            return
        self.newest = frame
        if self._count % interval == 0:
            self.waiting.put(frame)
        self._count += 1

    def publish(self, analysis: FrameAnalysis, *, seconds: float, now: float) -> None:
        """Make an analysis the newest one.

        Args:
            analysis: The analysis.
            seconds: How long it took.
            now: Seconds of the monotonic clock.
        """
        self.analysis = analysis
        self.failures = 0
        self.history.extend(timeline_rows(analysis))
        self._analysed.tick(now)
        if not analysis.camera_off:  # a black frame takes no inference
            self._durations.append(seconds)

    def close(self) -> None:
        """End the run; images are released, the timeline stays."""
        self.closed = True
        self.newest = self.analysis = None
        self.waiting.clear()

    def stats(self, now: float) -> LiveStats:
        """Return rates and delays at ``now`` (seconds of the monotonic clock)."""
        newest = self.analysis
        return LiveStats(
            input_fps=self._received.per_second(now),
            output_fps=self.drawn.per_second(now),
            analysed_fps=self._analysed.per_second(now),
            inference_ms=1000 * float(np.median(self._durations)) if self._durations else 0.0,
            dropped=self.waiting.overtaken,
            result_age_ms=None if newest is None else 1000 * (now - newest.frame.arrived),
        )
