"""Faces keep their identity from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections
from utils.inference.assignment import assign
from utils.inference.smoothing import Prediction, Smoothing, frozen

# A box drawn between two detections follows the face for this long, then stands still: a face that
# vanished would otherwise leave its box sailing through the picture.
MAX_PREDICTION = 0.4
# On a machine too slow for one analysis a second, a face still keeps its number for so long, as
# nothing was analysed in the meantime that could have shown its absence.
SLOW_GAP = 10.0
# How far a face may jump between two analyses, in sides of its box, and still be the same.
MAX_JUMP = 1.25
_UNPAIRABLE = 1e6
# Weight of the newest velocity; detectors' boxes jitter by a few pixels.
_VELOCITY_WEIGHT = 0.5


@dataclass(frozen=True)
class Track:
    """One face as followed through a stream; arrays are read-only.

    Attributes:
        track_id: 1, 2, … in the order of appearance.
        time: Media time in seconds of the last detection.
        box: float32 ``(4,)``, ``(x1, y1, x2, y2)`` in pixels at that time.
        velocity: float32 ``(4,)``, pixels per second of each edge.
        score: The detector's confidence in 0..1.
        prediction: What is known of its expression; rests while there is a problem.
        landmarks: float32 ``(5, 2)`` at that time, or None.
        problem: Why the face could not be read at that time, or None.
        read: Media time in seconds of ``answer``, which may be newer than the detection.
        sightings: How many searches found the face.
    """

    track_id: int
    time: float
    box: NDArray[np.float32]
    velocity: NDArray[np.float32]
    score: float
    prediction: Prediction
    landmarks: NDArray[np.float32] | None = None
    problem: str | None = None
    read: float = 0.0
    sightings: int = 1

    def box_at(self, time: float, longest: float = MAX_PREDICTION) -> NDArray[np.float32]:
        """Predict the box at a later time, assuming constant velocity for ``longest`` seconds."""
        elapsed = min(max(time - self.time, 0.0), longest)
        return frozen(self.box + self.velocity * elapsed)

    def moved_to(self, time: float, longest: float) -> NDArray[np.float32]:
        """Return the last box, of the size it had, where its centre's motion puts it.

        Someone who walks behind another is seen with a narrower and narrower box; that is no motion
        to be carried on with.
        """
        elapsed = min(max(time - self.time, 0.0), longest)
        return frozen(self.box + np.tile(self.velocity.reshape(2, 2).mean(axis=0), 2) * elapsed)

    def landmarks_at(self, time: float) -> NDArray[np.float32] | None:
        """Predict the landmarks at a later time: they move as the box's centre does."""
        if self.landmarks is None:
            return None
        shift = (self.box_at(time) - self.box).reshape(2, 2).mean(axis=0)
        return frozen(self.landmarks + shift)


class Tracker:
    """Gives detections of successive frames an identity by the overlap of their boxes.

    Predicted and detected boxes are paired so that the sum of their overlaps (intersection over
    union) is largest (Hungarian method). Not safe to share between threads.

    Args:
        max_gap: A track ends after so many seconds of media time in which frames were analysed but
            did not show it.
        min_overlap: Boxes that overlap less are paired only if they are near and alike.
    """

    def __init__(self, max_gap: float = 1.5, min_overlap: float = 0.2) -> None:
        self._max_gap = max_gap
        self._min_overlap = min_overlap
        self.reset()

    def reset(self) -> None:
        """Forget every face; the next one is number 1."""
        self._next_id = 1
        self._tracks: tuple[Track, ...] = ()
        self._updated = 0.0

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The living tracks, those of the last frame first."""
        return self._tracks

    @property
    def present(self) -> tuple[Track, ...]:
        """The tracks that the last search found."""
        return tuple(track for track in self._tracks if track.time == self._updated)

    @property
    def updated(self) -> float:
        """Media time in seconds of the last search."""
        return self._updated

    def update(
        self,
        time: float,
        detections: Detections,
        probabilities: NDArray[np.float32],
        smoothing: Smoothing,
        problems: Sequence[str | None] = (),
    ) -> tuple[Track, ...]:
        """Take in an analysed frame.

        Args:
            time: Media time in seconds; a step back starts afresh, from identity 1.
            detections: The N faces of the frame.
            probabilities: float32 ``(N, K)``, in the same order.
            smoothing: How fast smoothed values follow; may change from call to call.
            problems: Why each face can't be read, or None; empty if all can.

        Returns:
            One track for each detection, in its order.
        """
        if self._tracks and time < max(track.read for track in self._tracks):
            self.reset()
        living = tuple(t for t in self._tracks if self._lives(t, time))
        # Someone hidden behind another comes out on the other side: for finding a face again, its
        # motion is trusted for longer than for drawing a box that nobody has seen.
        expected = [t.moved_to(time, self._max_gap) for t in living]
        pairs = match_boxes(expected, detections.boxes, self._min_overlap)
        seen = []
        for index in range(len(detections)):
            prediction = smoothing.begin(probabilities[index])
            problem = problems[index] if problems else None
            fresh = _born(index, time, detections, prediction, problem)
            old = pairs.get(index)
            seen.append(
                self._number(fresh) if old is None else _follow(living[old], fresh, smoothing)
            )
        matched = set(pairs.values())
        self._updated = time
        lost = (t for i, t in enumerate(living) if i not in matched)
        self._tracks = (*seen, *(t for t in lost if self._lives(t, time)))
        return tuple(seen)

    def reread(
        self,
        time: float,
        tracks: Sequence[Track],
        probabilities: NDArray[np.float32],
        smoothing: Smoothing,
        problems: Sequence[str | None],
    ) -> tuple[Track, ...]:
        """Take in a frame that was read where the faces are expected, without a search.

        Args:
            time: Media time in seconds.
            tracks: The N living tracks that were read.
            probabilities: float32 ``(N, K)``, in the same order.
            smoothing: How fast smoothed values follow.
            problems: Why each face can't be read, or None.

        Returns:
            The tracks with their new answers.
        """
        fresh = tuple(
            _read(track, probabilities[i], time, smoothing, problems[i])
            for i, track in enumerate(tracks)
        )
        by_id = {track.track_id: track for track in fresh}
        self._tracks = tuple(by_id.get(track.track_id, track) for track in self._tracks)
        return fresh

    def miss(self, time: float) -> None:
        """Take in a frame that was known to show nobody."""
        self._tracks = tuple(t for t in self._tracks if self._lives(t, time))
        self._updated = time

    def _lives(self, track: Track, time: float) -> bool:
        limit = SLOW_GAP if track.time == self._updated else self._max_gap
        return time - track.time <= limit

    def _number(self, track: Track) -> Track:
        numbered = replace(track, track_id=self._next_id)
        self._next_id += 1
        return numbered


def _born(
    index: int, time: float, detections: Detections, prediction: Prediction, problem: str | None
) -> Track:
    marks = detections.landmarks
    return Track(
        track_id=0,
        time=time,
        box=frozen(detections.boxes[index]),
        velocity=frozen(np.zeros(4)),
        score=float(detections.scores[index]),
        prediction=prediction,
        landmarks=None if marks is None else frozen(marks[index]),
        problem=problem,
        read=time,
    )


def _follow(old: Track, fresh: Track, smoothing: Smoothing) -> Track:
    elapsed = fresh.time - old.time
    velocity = old.velocity
    if elapsed > 0:
        newest = (fresh.box - old.box) / elapsed
        velocity = frozen(old.velocity + _VELOCITY_WEIGHT * (newest - old.velocity))
    moved = replace(
        fresh,
        track_id=old.track_id,
        velocity=velocity,
        prediction=old.prediction,
        read=old.read,
        sightings=old.sightings + 1,
    )
    return _read(moved, fresh.prediction.raw, fresh.time, smoothing, fresh.problem)


def _read(
    track: Track,
    raw: NDArray[np.float32],
    time: float,
    smoothing: Smoothing,
    problem: str | None,
) -> Track:
    """Return the track after its face was read again; with a problem its answer rests."""
    if problem:
        prediction = replace(track.prediction, raw=frozen(raw))
    else:
        prediction = smoothing.follow(track.prediction, raw, time, time - track.read)
    return replace(track, prediction=prediction, problem=problem, read=time)


def match_boxes(
    known: Sequence[NDArray[np.float32]], found: NDArray[np.float32], min_overlap: float
) -> dict[int, int]:
    """Pair boxes of two frames so that the summed overlap is largest, then the rest by nearness.

    Boxes of a face that moved by more than its width since the last analysis do not overlap; a box
    that is left over still takes a left-over one of like size close by.

    Args:
        known: K boxes ``(x1, y1, x2, y2)``.
        found: float32 ``(N, 4)``.
        min_overlap: Pairs that overlap less are left apart.

    Returns:
        Index in ``found`` to index in ``known`` of each pair.
    """
    if not len(known) or not len(found):
        return {}
    overlaps = box_iou(np.stack(known), found)
    rows, columns = assign(-overlaps)
    pairs = zip(columns.tolist(), rows.tolist(), strict=True)
    matched = {column: row for column, row in pairs if overlaps[row, column] >= min_overlap}
    gaps = _gaps(np.stack(known), found)
    gaps[list(matched.values())] = gaps[:, list(matched)] = _UNPAIRABLE
    rows, columns = assign(gaps)
    near = zip(columns.tolist(), rows.tolist(), strict=True)
    return matched | {column: row for column, row in near if gaps[row, column] <= MAX_JUMP}


def _gaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances ``(K, N)`` of the boxes' centres in mean sides of the two boxes."""
    center_a, center_b = (box.reshape(-1, 2, 2).mean(1) for box in (a, b))
    side_a, side_b = (np.sqrt(np.clip(x[:, 2:] - x[:, :2], 1, None).prod(1)) for x in (a, b))
    distance = np.linalg.norm(center_a[:, None] - center_b[None], axis=2)
    ratio = side_a[:, None] / side_b[None]
    alike = (ratio < 1.5) & (ratio > 1 / 1.5)
    return np.where(alike, 2 * distance / (side_a[:, None] + side_b[None]), _UNPAIRABLE)


def box_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersections over unions ``(K, N)`` of ``(K, 4)`` and ``(N, 4)`` boxes."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    areas_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(axis=1)
    areas_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1)
    union = areas_a[:, None] + areas_b[None, :] - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0).astype(np.float32)
