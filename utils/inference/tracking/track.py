"""One face followed through a stream, and where it is expected at a later time."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections
from utils.inference.tracking.smoothing import Prediction
from utils.results import FaceProblem

# A box drawn between two detections follows the face for this long, then stands still: otherwise
# the box of a face that has left would go on moving across the frame.
MAX_PREDICTION = 0.4


@dataclass(frozen=True)
class Track:
    """One face as followed through a stream; arrays are read-only.

    Attributes:
        track_id: 1, 2, … in the order of appearance.
        detected_at: Media time in seconds of the last detection.
        box: float32 ``(4,)``, ``(x1, y1, x2, y2)`` in pixels at ``detected_at``.
        velocity: float32 ``(4,)``, pixels per second of each edge.
        score: The detector's confidence in 0..1.
        prediction: The prediction for this face; unchanged while there is a problem.
        landmarks: float32 ``(5, 2)`` in pixels at ``detected_at``, or None.
        problem: Why the face could not be classified at ``classified_at``, or None.
        classified_at: Media time in seconds of the last classification, which may be later than
            the last detection.
        detection_count: Number of frames in which the detector found the face.
    """

    track_id: int
    detected_at: float
    box: NDArray[np.float32]
    velocity: NDArray[np.float32]
    score: float
    prediction: Prediction
    landmarks: NDArray[np.float32] | None = None
    problem: FaceProblem | None = None
    classified_at: float = 0.0
    detection_count: int = 1

    def __post_init__(self) -> None:
        for array in (self.box, self.velocity, self.landmarks):
            if array is not None:
                array.setflags(write=False)

    def box_at(self, time: float) -> NDArray[np.float32]:
        """Predict the box at a later time: constant velocity, at most ``MAX_PREDICTION`` long."""
        elapsed = min(max(time - self.detected_at, 0.0), MAX_PREDICTION)
        return np.asarray(self.box + self.velocity * elapsed, np.float32)

    def moved_to(self, time: float, longest: float) -> NDArray[np.float32]:
        """Return the last box, its size unchanged, moved as its centre moves.

        The box of someone who walks behind another person becomes narrower and narrower; that is
        not a motion to extrapolate.

        Args:
            time: Media time in seconds.
            longest: Seconds after the last detection from which on the box stands still.
        """
        elapsed = min(max(time - self.detected_at, 0.0), longest)
        shift = np.tile(self.velocity.reshape(2, 2).mean(axis=0), 2) * elapsed
        return np.asarray(self.box + shift, np.float32)

    def landmarks_at(self, time: float) -> NDArray[np.float32] | None:
        """Predict the landmarks at a later time: they move as the box's centre does."""
        if self.landmarks is None:
            return None
        shift = (self.box_at(time) - self.box).reshape(2, 2).mean(axis=0)
        return np.asarray(self.landmarks + shift, np.float32)


@dataclass(frozen=True)
class ExpectedFace:
    """Where a tracked face is expected in a frame.

    Attributes:
        track: The track.
        box: float32 ``(4,)``, ``(x1, y1, x2, y2)`` in pixels, clipped to the frame, not empty.
        landmarks: float32 ``(5, 2)`` in pixels, or None.
    """

    track: Track
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None


def expected_faces(
    tracks: Iterable[Track], time: float, *, size: tuple[int, int]
) -> tuple[ExpectedFace, ...]:
    """Return where tracked faces are expected; those expected outside the frame are left out.

    Args:
        tracks: The faces.
        time: Media time of the frame in seconds.
        size: Width and height of the frame in pixels.
    """
    limits = np.array([*size, *size], np.float32)
    placed = ((track, np.clip(track.box_at(time), 0, limits)) for track in tracks)
    return tuple(
        ExpectedFace(track, box, track.landmarks_at(time))
        for track, box in placed
        if (box[2:] > box[:2]).all()
    )


def as_detections(faces: tuple[ExpectedFace, ...]) -> Detections:
    """Return expected faces as detections; landmarks are kept only if all faces have them."""
    landmarks = [face.landmarks for face in faces if face.landmarks is not None]
    return Detections(
        np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        np.array([face.track.score for face in faces], np.float32),
        np.stack(landmarks) if len(landmarks) == len(faces) > 0 else None,
    )
