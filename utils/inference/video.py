"""Videos and cameras, analysed frame by frame with tracking and smoothing."""

from collections.abc import Iterator
from typing import Protocol

from utils.errors import ConfigError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.frame_analysis import Frame, FrameAnalyzer
from utils.inference.tracking.detection_schedule import DetectionSchedule
from utils.inference.tracking.smoothing import Smoothing
from utils.media.video import VideoFrame
from utils.results import FrameResult, Status


class FrameSource(Protocol):
    """A video file, a camera, or anything else that gives frames with times."""

    name: str

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the frames in order."""
        ...


def analyze_video(
    analyzer: EmotionAnalyzer,
    video: FrameSource,
    *,
    every: int = 1,
    smoothing: Smoothing | None = None,
) -> Iterator[tuple[VideoFrame, FrameResult]]:
    """Find and track the faces of a video.

    Args:
        analyzer: Detector and classifier.
        video: The opened file or camera.
        every: Every N-th frame is analysed. In the others, faces are where their motion carries
            them, and the status is ``skipped``.
        smoothing: How predictions are smoothed; None takes the defaults.

    Yields:
        Every frame and its result, with ``time`` and ``track_id``.

    Raises:
        ConfigError: ``every`` is not positive.
        VideoError: Not a single frame can be decoded.
    """
    if every < 1:
        raise ConfigError(f"every must be a whole number from 1, not {every}")
    # A file waits for nobody: faces are detected as often as their motion asks for.
    frames = FrameAnalyzer(analyzer, schedule=DetectionSchedule(rest=0.0), smoothing=smoothing)
    analysis = None
    for shown in video:
        frame = Frame(shown.image, shown.time, shown.time)
        skipped = analysis is not None and shown.index % every != 0
        if analysis is None or not skipped:
            analysis = frames.analyze(frame)
        result = analysis.result_at(frame.time, frame.size)
        status = Status.SKIPPED if skipped else result.status
        yield shown, result.model_copy(update={"image": video.name, "status": status})
