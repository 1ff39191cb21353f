"""Videos and cameras, analysed frame by frame by the engine of live video."""

from collections.abc import Iterator
from typing import Protocol

from utils.errors import ConfigError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.detection_schedule import DetectionSchedule
from utils.inference.smoothing import Smoothing
from utils.inference.stream import Frame, analyze_frame, result_at
from utils.inference.tracking import Tracker
from utils.media.video import VideoFrame
from utils.results import FrameResult, Status


class FrameSource(Protocol):
    """A video file, a camera, or anything else that gives pictures with times."""

    name: str

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the pictures in order."""
        ...


def analyze_video(
    analyzer: EmotionAnalyzer,
    video: FrameSource,
    every: int = 1,
    smoothing: Smoothing | None = None,
) -> Iterator[tuple[VideoFrame, FrameResult]]:
    """Find and follow the faces of a video.

    Args:
        analyzer: Detector and classifier.
        video: The opened file or camera.
        every: Every N-th picture is analysed; to the others the faces are carried by their motion,
            and their status is ``skipped``.
        smoothing: How fast the shown probabilities follow.

    Yields:
        Every picture and its result, ``time`` and ``track_id`` filled in.

    Raises:
        ConfigError: ``every`` is not positive.
        VideoError: Not one picture can be decoded.
    """
    if every < 1:
        raise ConfigError(f"every must be a whole number from 1, not {every}")
    smoothing = smoothing or Smoothing()
    tracker, plan, shown = Tracker(), DetectionSchedule(rest=0.0), None
    for picture in video:
        height, width = picture.image.shape[:2]
        analysed = picture.index % every == 0
        if analysed:
            frame = Frame(picture.image, picture.time, picture.time)
            shown, _ = analyze_frame(analyzer, tracker, plan, frame, smoothing)
        assert shown is not None  # the first picture is always analysed
        result = result_at(shown, picture.time, (width, height), analyzer)
        status = result.status if analysed else Status.SKIPPED
        yield picture, result.model_copy(update={"image": video.name, "status": status})
