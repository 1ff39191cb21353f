"""What a live stream has shown so far: rows of a timeline, rates and delays."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.inference.tracking import Track
from utils.results import FrameResult, Status

# Half a minute of four faces at 30 analysed frames a second.
HISTORY_ROWS = 3600
_RATE_WINDOW = 2.0


@dataclass(frozen=True)
class TimelineRow:
    """One face of one analysed frame, or a frame without any; arrays are read-only.

    Attributes:
        time: Media time in seconds.
        status: ``ok``, ``uncertain``, ``low_quality``, ``no_face`` or ``camera_off``.
        track_id: Which face; None where there is none.
        raw: float32 ``(K,)`` probabilities of that frame alone; None without a face.
        smoothed: The same, smoothed for display; None also while the face can't be read.
        chart: The same, smoothed for the timeline.
        problem: Why the face could not be read; None if it could.
    """

    time: float
    status: Status
    track_id: int | None = None
    raw: NDArray[np.float32] | None = None
    smoothed: NDArray[np.float32] | None = None
    chart: NDArray[np.float32] | None = None
    problem: str | None = None


@dataclass(frozen=True)
class LiveStats:
    """How the stream is doing; rates per second over the last two seconds.

    Attributes:
        input_fps: Frames handed over.
        output_fps: Frames given back with drawings.
        analysed_fps: Frames detected and classified.
        inference_ms: Median time in milliseconds of the last analyses.
        dropped: Frames that were due for analysis and were overtaken by newer ones.
        result_age_ms: Time since the frame of the newest result arrived; None before the first.
    """

    input_fps: float = 0.0
    output_fps: float = 0.0
    analysed_fps: float = 0.0
    inference_ms: float = 0.0
    dropped: int = 0
    result_age_ms: float | None = None


@dataclass(frozen=True)
class LiveSnapshot:
    """Everything a page may show at one moment.

    Attributes:
        running: Whether frames are being taken.
        classes: Class names in the order of all probability vectors.
        result: The faces now, boxes predicted for the newest frame; None before the first result.
        history: The timeline, oldest first.
        stats: Rates and delays.
        error: A sentence about what went wrong last; None while all is well.
    """

    running: bool
    classes: tuple[str, ...]
    result: FrameResult | None = None
    history: tuple[TimelineRow, ...] = ()
    stats: LiveStats = LiveStats()
    error: str | None = None


def timeline_rows(time: float, status: Status, tracks: Sequence[Track]) -> list[TimelineRow]:
    """Return the rows of one analysed frame: one for each face, or one that says there is none."""
    if not tracks:
        return [TimelineRow(time, status)]
    return [_row(time, status, track) for track in tracks]


def _row(time: float, status: Status, track: Track) -> TimelineRow:
    prediction = track.prediction
    if track.problem:
        return TimelineRow(
            time, Status.LOW_QUALITY, track.track_id, prediction.raw, problem=track.problem
        )
    return TimelineRow(
        time, status, track.track_id, prediction.raw, prediction.smoothed, prediction.chart
    )


class Rate:
    """Counts events per second over the last two seconds."""

    def __init__(self) -> None:
        self._ticks: deque[float] = deque(maxlen=1000)

    def tick(self, now: float) -> None:
        """Note an event at ``now`` (monotonic seconds)."""
        self._ticks.append(now)

    def per_second(self, now: float) -> float:
        """Return the events per second up to ``now``."""
        while self._ticks and now - self._ticks[0] > _RATE_WINDOW:
            self._ticks.popleft()
        if len(self._ticks) < 2:
            return 0.0
        return (len(self._ticks) - 1) / max(now - self._ticks[0], 1e-6)
