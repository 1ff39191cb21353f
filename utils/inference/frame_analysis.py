"""The one step that live video, files and the WebSocket share: analysing a frame of a stream."""

import time as clock
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.face_results import ResultBuilder
from utils.inference.tracking.detection_schedule import DetectionSchedule
from utils.inference.tracking.smoothing import Smoothing
from utils.inference.tracking.track import Track, as_detections, expected_faces
from utils.inference.tracking.tracker import Tracker
from utils.results import FrameResult, Status

# A face that the last detection missed is displayed for this many seconds of media time, against
# flicker.
SHOW_LOST = 0.5
# A camera that is switched off sends black frames; sensor noise in a dark room has bright pixels.
_BLACK_MEAN = 8.0
_BLACK_PEAK = 32


@dataclass(frozen=True)
class Frame:
    """One frame of a stream.

    Attributes:
        image: RGB uint8 ``(H, W, 3)``.
        time: Media time in seconds.
        arrived: When it arrived, in seconds of the monotonic clock.
    """

    image: NDArray[np.uint8]
    time: float
    arrived: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True)
class FrameAnalysis:
    """What is known of a stream after one analysed frame.

    Attributes:
        frame: The analysed frame.
        classified: The tracks whose faces were classified in this very frame.
        tracks: All tracks that are followed, those included that the last detection missed.
        detected_at: Media time in seconds of the last detection; older tracks were missed by it.
        camera_off: Whether the frame is black.
        results: Builds the results.
    """

    frame: Frame
    classified: tuple[Track, ...]
    tracks: tuple[Track, ...]
    detected_at: float
    results: ResultBuilder
    camera_off: bool = False

    @property
    def result(self) -> FrameResult:
        """The result of the analysed frame."""
        return self.result_at(self.frame.time, self.frame.size)

    def result_at(self, time: float, size: tuple[int, int]) -> FrameResult:
        """Return the result carried to a later frame.

        Args:
            time: Media time of the later frame in seconds.
            size: Its width and height in pixels.

        Returns:
            The faces at that time, with predicted boxes and smoothed probabilities.
        """
        displayed = [track for track in self.tracks if not self._is_lost(track)]
        expected = expected_faces(displayed, time, size=size)
        faces = tuple(self.results.tracked_face(face, time) for face in expected)
        result = self.results.frame(faces, size, time=time)
        if self.camera_off:
            return result.model_copy(update={"status": Status.CAMERA_OFF})
        return result

    def _is_lost(self, track: Track) -> bool:
        # A face that one detection found and the next did not was probably none.
        limit = SHOW_LOST if track.detection_count > 1 else 0.0
        return self.detected_at - track.detected_at > limit


class FrameAnalyzer:
    """Analyses the frames of one stream or file, in order of their time.

    Faces are detected where the schedule asks for it, else expected where their tracks put them;
    then they are classified, tracked and smoothed. Not safe to share between threads.

    Args:
        analyzer: Detector and classifier.
        schedule: When faces are detected; None takes the schedule of live video.
        smoothing: How predictions are smoothed; None takes the defaults.
    """

    def __init__(
        self,
        analyzer: EmotionAnalyzer,
        *,
        schedule: DetectionSchedule | None = None,
        smoothing: Smoothing | None = None,
    ) -> None:
        self._analyzer = analyzer
        self._schedule = schedule or DetectionSchedule()
        self._smoothing = smoothing or Smoothing()
        self._tracker = Tracker()

    def configure(self, analyzer: EmotionAnalyzer, smoothing: Smoothing) -> None:
        """Change what the next frames are analysed with; tracks go on.

        Args:
            analyzer: If it is another one, faces are detected in the next frame, as boxes are
                cropped with the geometry of the detector that found them.
            smoothing: How predictions are smoothed.
        """
        if analyzer is not self._analyzer:
            self._schedule.reset()
        self._analyzer, self._smoothing = analyzer, smoothing

    def analyze(self, frame: Frame) -> FrameAnalysis:
        """Analyse a frame; in a black one, no faces are searched for."""
        time, tracker, results = frame.time, self._tracker, self._analyzer.results
        if _is_black(frame.image):
            tracker.record_empty(time)
            return FrameAnalysis(frame, (), (), time, results, camera_off=True)
        expected = expected_faces(tracker.present, time, size=frame.size)
        known = [face.track for face in expected]
        due = self._schedule.due(time, known)
        detections = self._detect(frame) if due else as_detections(expected)
        faces = self._analyzer.classify_faces(frame.image, detections)
        if due:
            seen = tracker.update(time, faces, smoothing=self._smoothing)
        else:
            seen = tracker.update_predictions(time, known, faces=faces, smoothing=self._smoothing)
        return FrameAnalysis(frame, seen, tracker.tracks, tracker.detected_at, results)

    def _detect(self, frame: Frame) -> Detections:
        began = clock.perf_counter()
        detections = self._analyzer.detect(frame.image)
        self._schedule.detected(frame.time, clock.perf_counter() - began)
        return detections


def _is_black(image: NDArray[np.uint8]) -> bool:
    sample = image[::8, ::8]
    return bool(sample.mean() < _BLACK_MEAN and sample.max() < _BLACK_PEAK)
