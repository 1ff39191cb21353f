"""What a live stream has shown so far: rows of a timeline, rates and delays."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.inference.frame_analysis import FrameAnalysis
from utils.inference.tracking.track import Track
from utils.results import FaceProblem, FrameResult, Status

# Half a minute of four faces at 30 analysed frames per second.
HISTORY_ROWS = 3600
_RATE_WINDOW = 2.0


@dataclass(frozen=True)
class TimelineRow:
    """One face of one analysed frame, or a frame without faces; arrays are read-only.

    Attributes:
        time: Media time in seconds.
        status: ``ok``, ``uncertain`` or ``low_quality`` of the face; without a face ``no_face`` or
            ``camera_off``.
        track_id: Identity of the face; None without one.
        raw: float32 ``(K,)`` probabilities of this frame alone; None without a face.
        smoothed: float32 ``(K,)``, smoothed for display; None without a face, or if the face has a
            problem.
        chart: float32 ``(K,)``, smoothed for the timeline; None where ``smoothed`` is.
        problem: Why the face could not be classified; None if it could.
        box: float32 ``(4,)``, ``(x1, y1, x2, y2)`` in pixels; None without a face.
    """

    time: float
    status: Status
    track_id: int | None = None
    raw: NDArray[np.float32] | None = None
    smoothed: NDArray[np.float32] | None = None
    chart: NDArray[np.float32] | None = None
    problem: FaceProblem | None = None
    box: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class LiveStats:
    """Rates and delays of a live stream; rates are per second, over the last two seconds.

    Attributes:
        input_fps: Rate of the frames that came in.
        output_fps: Rate of the frames that were drawn and returned.
        analysed_fps: Rate of the frames that were analysed.
        inference_ms: Median duration in milliseconds of the last analyses.
        dropped: Number of frames that were due for analysis and were overtaken by newer ones.
        result_age_ms: Milliseconds since the frame of the newest result arrived; None before the
            first result.
    """

    input_fps: float = 0.0
    output_fps: float = 0.0
    analysed_fps: float = 0.0
    inference_ms: float = 0.0
    dropped: int = 0
    result_age_ms: float | None = None


@dataclass(frozen=True)
class LiveSnapshot:
    """The state of a live stream at one moment; it never changes.

    Attributes:
        running: Whether frames are being analysed.
        classes: Class names in the order of all probability vectors.
        result: The faces now, with boxes predicted for the newest frame; None before the first
            result.
        history: The rows of the timeline, oldest first.
        stats: Rates and delays.
        error: What went wrong last, as a sentence for people; None if nothing did.
    """

    running: bool
    classes: tuple[str, ...]
    result: FrameResult | None = None
    history: tuple[TimelineRow, ...] = ()
    stats: LiveStats = LiveStats()
    error: str | None = None


def timeline_rows(analysis: FrameAnalysis) -> list[TimelineRow]:
    """Return the rows of an analysed frame: one per classified face, or one without a face."""
    time = analysis.frame.time
    if analysis.classified:
        return [
            _row(time, analysis.results.track_status(track), track) for track in analysis.classified
        ]
    return [TimelineRow(time, Status.CAMERA_OFF if analysis.camera_off else Status.NO_FACE)]


def _row(time: float, status: Status, track: Track) -> TimelineRow:
    prediction, problem = track.prediction, track.problem
    return TimelineRow(
        time=time,
        status=status,
        track_id=track.track_id,
        raw=prediction.raw,
        smoothed=None if problem else prediction.shown,
        chart=None if problem else prediction.chart,
        problem=problem,
        box=track.box,
    )


class Rate:
    """Measures events per second over the last two seconds."""

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
