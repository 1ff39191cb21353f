"""What one run of a live stream consists of, apart from the threads that work on it."""

import time as clock
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from utils.errors import ConfigError
from utils.faces.base import Detections
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.detection_schedule import DetectionSchedule
from utils.inference.smoothing import Smoother, Smoothing
from utils.inference.timeline import HISTORY_ROWS, LiveStats, Rate, TimelineRow, timeline_rows
from utils.inference.tracking import Track, Tracker
from utils.results import FrameResult, Status, status_of

# A face that the detector missed stays on the screen for so long (media time), against flicker.
SHOW_LOST = 0.5
# A camera that is switched off sends black; sensor noise of a dark room still has bright pixels.
_BLACK_MEAN = 8.0
_BLACK_PEAK = 32


@dataclass(frozen=True)
class LiveOptions:
    """What may change while the stream runs.

    Attributes:
        interval: Every N-th frame is analysed: its faces are read, and searched for where the
            detection plan asks for it.
        detector: Name of the face detector.
        tau: Time constant in seconds of the shown probabilities.
        chart_tau: Time constant in seconds of the timeline.
    """

    interval: int = 2
    detector: str = "mtcnn"
    tau: float = 0.28
    chart_tau: float = 0.62

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ConfigError(f"interval must be a whole number from 1, not {self.interval}.")
        for name in ("tau", "chart_tau"):
            if not 0 <= getattr(self, name) <= 10:
                raise ConfigError(f"{name} must be 0 to 10 seconds, not {getattr(self, name)}.")

    @property
    def smoothing(self) -> Smoothing:
        """The smoothers of both time constants."""
        return Smoothing(Smoother(self.tau), Smoother(self.chart_tau))


@dataclass(frozen=True)
class Frame:
    """A picture on its way: RGB uint8 ``(H, W, 3)``, media time, and when it came (monotonic)."""

    image: NDArray[np.uint8]
    time: float
    arrived: float


@dataclass(frozen=True)
class FrameAnalysis:
    """The newest prediction: what became of the analysed frame, and the faces still followed.

    ``searched`` is the media time of the last search for faces; a track that is older was missed.
    """

    frame: Frame
    status: Status
    tracks: tuple[Track, ...]
    searched: float


@dataclass
class Stream:
    """The state of one run from start to stop; its owner holds a lock around every access.

    Attributes:
        slot: The one frame that waits for analysis.
        newest: The last frame handed over.
        shown: The newest prediction.
        closed: The run has ended; nothing is taken or published any more.
        failures: Analyses in a row that failed.
        tracker: Used by the analysing thread only, as is
        plan: When faces are searched for, and
        detector: By which detector they were last.
    """

    slot: Frame | None = None
    newest: Frame | None = None
    shown: FrameAnalysis | None = None
    closed: bool = False
    failures: int = 0
    tracker: Tracker = field(default_factory=Tracker)
    plan: DetectionSchedule = field(default_factory=DetectionSchedule)
    detector: str | None = None
    history: deque[TimelineRow] = field(default_factory=lambda: deque(maxlen=HISTORY_ROWS))
    drawn: Rate = field(default_factory=Rate)
    _inference: deque[float] = field(default_factory=lambda: deque(maxlen=30))
    _received: Rate = field(default_factory=Rate)
    _analysed: Rate = field(default_factory=Rate)
    _count: int = 0
    _dropped: int = 0

    def offer(self, frame: Frame, interval: int) -> None:
        """Take a frame in; every ``interval``-th waits for analysis in place of its predecessor."""
        self._received.tick(frame.arrived)
        if self.closed:
            return
        self.newest = frame
        if self._count % interval == 0:
            self._dropped += self.slot is not None
            self.slot = frame
        self._count += 1

    def take(self) -> Frame | None:
        """Give out the waiting frame."""
        frame, self.slot = self.slot, None
        return frame

    def publish(
        self, shown: FrameAnalysis, seen: tuple[Track, ...], seconds: float | None, now: float
    ) -> None:
        """Make an answer the newest one.

        Args:
            shown: The prediction.
            seen: The tracks detected in this very frame.
            seconds: How long the analysis took; None for a frame that needed no inference.
            now: Monotonic seconds.
        """
        self.shown = shown
        self.failures = 0
        self.history.extend(timeline_rows(shown.frame.time, shown.status, seen))
        self._analysed.tick(now)
        if seconds is not None:
            self._inference.append(1000 * seconds)

    def close(self) -> None:
        """End the run; pictures are let go, the timeline stays."""
        self.closed = True
        self.slot = self.newest = self.shown = None

    def stats(self, now: float) -> LiveStats:
        """Return rates and delays at ``now`` (monotonic seconds)."""
        return LiveStats(
            input_fps=self._received.per_second(now),
            output_fps=self.drawn.per_second(now),
            analysed_fps=self._analysed.per_second(now),
            inference_ms=float(np.median(self._inference)) if self._inference else 0.0,
            dropped=self._dropped,
            result_age_ms=None if self.shown is None else 1000 * (now - self.shown.frame.arrived),
        )


def result_at(
    shown: FrameAnalysis, time: float, size: tuple[int, int], analyzer: EmotionAnalyzer
) -> FrameResult:
    """Carry the newest answer to a later frame.

    Args:
        shown: The newest prediction.
        time: Media time of the later frame in seconds.
        size: Its width and height in pixels.
        analyzer: Knows the model's name and its threshold of certainty.

    Returns:
        The faces at that time with predicted boxes and smoothed probabilities.
    """
    width, height = size
    faces = []
    for track in shown.tracks:
        box = _clipped(track.box_at(time), width, height)
        missed = shown.searched - track.time
        # What only one search found, and the next did not, was hardly a face.
        lost = missed > (SHOW_LOST if track.sightings > 1 else 0.0)
        if not lost and (box[2:] > box[:2]).all():
            marks = track.landmarks_at(time)
            prediction = track.prediction
            face = analyzer.face(
                box,
                track.score,
                prediction.smoothed,
                marks,
                track.track_id,
                prediction.label,
                track.problem,
            )
            if track.read == time:
                face = face.model_copy(update={"raw": analyzer.named(prediction.raw)})
            faces.append(face)
    status = shown.status
    if faces or status in (Status.OK, Status.UNCERTAIN, Status.LOW_QUALITY):
        status = status_of(tuple(faces))
    return FrameResult(
        model=analyzer.model_name,
        width=width,
        height=height,
        faces=tuple(faces),
        status=status,
        time=time,
    )


def analyze_frame(
    analyzer: EmotionAnalyzer,
    tracker: Tracker,
    plan: DetectionSchedule,
    frame: Frame,
    smoothing: Smoothing,
) -> tuple[FrameAnalysis, tuple[Track, ...]]:
    """Analyse a frame; return the answer and the tracks that were read in this very frame.

    A black frame is a camera that is switched off: it is not searched, and nothing is read in it.

    Args:
        analyzer: Detector and classifier.
        tracker: Follows the faces of this stream or file.
        plan: Says whether to search for faces or to read them where they are expected.
        frame: The picture.
        smoothing: How fast the shown probabilities follow.
    """
    if _is_black(frame.image):
        tracker.miss(frame.time)
        return FrameAnalysis(frame, Status.CAMERA_OFF, (), frame.time), ()
    expected = _in_view(tracker.present, frame)
    if plan.due(frame.time, expected):
        began = clock.perf_counter()
        found = analyzer.detect(frame.image)
        plan.searched(frame.time, clock.perf_counter() - began)
        probabilities, problems = analyzer.read(frame.image, found)
        seen = tracker.update(frame.time, found, probabilities, smoothing, problems)
    else:
        found = _expected_faces(expected, frame)
        probabilities, problems = analyzer.read(frame.image, found)
        seen = tracker.reread(frame.time, expected, probabilities, smoothing, problems)
    shown = FrameAnalysis(frame, _status(seen, analyzer.threshold), tracker.tracks, tracker.updated)
    return shown, seen


def _in_view(tracks: tuple[Track, ...], frame: Frame) -> tuple[Track, ...]:
    """Return the tracks whose expected box has a part inside the frame."""
    height, width = frame.image.shape[:2]
    return tuple(
        track
        for track in tracks
        if (box := _clipped(track.box_at(frame.time), width, height))[2] > box[0]
        and box[3] > box[1]
    )


def _clipped(box: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    return np.clip(box, 0, np.array([width, height, width, height], np.float32))


def _expected_faces(tracks: tuple[Track, ...], frame: Frame) -> Detections:
    """Return the faces where their tracks put them; all have landmarks, or none."""
    height, width = frame.image.shape[:2]
    boxes = [_clipped(track.box_at(frame.time), width, height) for track in tracks]
    marks = [m for track in tracks if (m := track.landmarks_at(frame.time)) is not None]
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([track.score for track in tracks], np.float32),
        np.stack(marks) if len(marks) == len(tracks) > 0 else None,
    )


def _status(seen: tuple[Track, ...], threshold: float) -> Status:
    if not seen:
        return Status.NO_FACE
    readable = [track for track in seen if not track.problem]
    if not readable:
        return Status.LOW_QUALITY
    sure = any(track.prediction.smoothed.max() >= threshold for track in readable)
    return Status.OK if sure else Status.UNCERTAIN


def _is_black(image: NDArray[np.uint8]) -> bool:
    sample = image[::8, ::8]
    return bool(sample.mean() < _BLACK_MEAN and sample.max() < _BLACK_PEAK)
