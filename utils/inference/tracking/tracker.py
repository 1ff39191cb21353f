"""Tracking: faces keep their identity from frame to frame."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from utils.inference.face_results import ClassifiedFaces
from utils.inference.tracking.assignment import assign
from utils.inference.tracking.smoothing import Smoothing
from utils.inference.tracking.track import Track

# On a machine that is too slow for one analysis a second, a face still keeps its identity for this
# many seconds, as no frame was analysed in the meantime that could have shown its absence.
SLOW_GAP = 10.0
# How far a face may jump between two analyses, in sides of its box, and still be the same.
MAX_JUMP = 1.25
_UNPAIRABLE = 1e6
# Weight of the newest velocity; detectors' boxes jitter by a few pixels.
_VELOCITY_WEIGHT = 0.5


class Tracker:
    """Gives detections of successive frames an identity by the overlap of their boxes.

    Expected and detected boxes are paired so that the sum of their overlaps (intersection over
    union) is largest (Hungarian method). Not safe to share between threads.

    Args:
        max_gap: A track ends after this many seconds of media time in which frames were analysed
            but did not show it.
        min_overlap: Boxes that overlap less are paired only if they are near and of similar size.
    """

    def __init__(self, max_gap: float = 1.5, min_overlap: float = 0.2) -> None:
        self._max_gap = max_gap
        self._min_overlap = min_overlap
        self.reset()

    def reset(self) -> None:
        """Forget all faces; the next one gets identity 1."""
        self._next_id = 1
        self._tracks: tuple[Track, ...] = ()
        self._detected_at = 0.0

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All living tracks, those of the last detection first."""
        return self._tracks

    @property
    def present(self) -> tuple[Track, ...]:
        """The tracks that the last detection found."""
        return tuple(track for track in self._tracks if track.detected_at == self._detected_at)

    @property
    def detected_at(self) -> float:
        """Media time in seconds of the last detection."""
        return self._detected_at

    def update(
        self, time: float, faces: ClassifiedFaces, *, smoothing: Smoothing
    ) -> tuple[Track, ...]:
        """Take in a frame in which faces were detected.

        Args:
            time: Media time in seconds; a step back starts afresh, from identity 1.
            faces: The detected faces of the frame.
            smoothing: How predictions are smoothed; may change from call to call.

        Returns:
            One track for each detected face, in the same order.
        """
        if self._tracks and time < max(track.classified_at for track in self._tracks):
            self.reset()
        living = tuple(track for track in self._tracks if self._lives(track, time))
        # A person hidden behind another reappears on the other side: to find a face again, its
        # motion is extrapolated for longer than to draw a box that no detection confirms.
        expected = [track.moved_to(time, self._max_gap) for track in living]
        boxes = faces.detections.boxes
        pairs = match_boxes(expected, boxes, min_overlap=self._min_overlap)
        seen = []
        for index in range(len(faces.detections)):
            match = pairs.get(index)
            if match is None:
                seen.append(
                    _new_track(self._next_id, time, faces, index=index, smoothing=smoothing)
                )
                self._next_id += 1
            else:
                seen.append(_follow(living[match], time, faces, index=index, smoothing=smoothing))
        matched = set(pairs.values())
        self._detected_at = time
        lost = (track for i, track in enumerate(living) if i not in matched)
        self._tracks = (*seen, *(track for track in lost if self._lives(track, time)))
        return tuple(seen)

    def update_predictions(
        self,
        time: float,
        tracks: Sequence[Track],
        *,
        faces: ClassifiedFaces,
        smoothing: Smoothing,
    ) -> tuple[Track, ...]:
        """Take in a frame in which faces were classified where they are expected.

        Args:
            time: Media time in seconds.
            tracks: The N living tracks whose faces were classified.
            faces: These faces, in the same order.
            smoothing: How predictions are smoothed.

        Returns:
            The tracks with their new predictions.
        """
        updated = tuple(
            _classify(track, time, faces, index=index, smoothing=smoothing)
            for index, track in enumerate(tracks)
        )
        by_id = {track.track_id: track for track in updated}
        self._tracks = tuple(by_id.get(track.track_id, track) for track in self._tracks)
        return updated

    def record_empty(self, time: float) -> None:
        """Take in a frame that is known to show no face."""
        self._tracks = tuple(track for track in self._tracks if self._lives(track, time))
        self._detected_at = time

    def _lives(self, track: Track, time: float) -> bool:
        limit = SLOW_GAP if track.detected_at == self._detected_at else self._max_gap
        return time - track.detected_at <= limit


def _new_track(
    track_id: int, time: float, faces: ClassifiedFaces, *, index: int, smoothing: Smoothing
) -> Track:
    found = faces.detections
    return Track(
        track_id=track_id,
        detected_at=time,
        box=found.boxes[index].copy(),
        velocity=np.zeros(4, np.float32),
        score=float(found.scores[index]),
        prediction=smoothing.start(faces.probabilities[index]),
        landmarks=None if found.landmarks is None else found.landmarks[index].copy(),
        problem=faces.problems[index],
        classified_at=time,
    )


def _follow(
    track: Track, time: float, faces: ClassifiedFaces, *, index: int, smoothing: Smoothing
) -> Track:
    """Return a track after another detection of its face."""
    found = faces.detections
    box, velocity = found.boxes[index].copy(), track.velocity
    elapsed = time - track.detected_at
    if elapsed > 0:
        newest = (box - track.box) / elapsed
        velocity = track.velocity + _VELOCITY_WEIGHT * (newest - track.velocity)
    moved = replace(
        track,
        detected_at=time,
        box=box,
        velocity=np.asarray(velocity, np.float32),
        score=float(found.scores[index]),
        landmarks=None if found.landmarks is None else found.landmarks[index].copy(),
        detection_count=track.detection_count + 1,
    )
    return _classify(moved, time, faces, index=index, smoothing=smoothing)


def _classify(
    track: Track, time: float, faces: ClassifiedFaces, *, index: int, smoothing: Smoothing
) -> Track:
    """Return a track after another classification; with a problem, smoothed values stay."""
    raw, problem = faces.probabilities[index], faces.problems[index]
    if problem is not None:
        prediction = track.prediction.with_raw(raw)
    else:
        elapsed = time - track.classified_at
        prediction = smoothing.smooth(track.prediction, raw, time=time, elapsed=elapsed)
    return replace(track, prediction=prediction, problem=problem, classified_at=time)


def match_boxes(
    known: Sequence[NDArray[np.float32]], found: NDArray[np.float32], *, min_overlap: float
) -> dict[int, int]:
    """Pair boxes of two frames so that the summed overlap is largest, then the rest by distance.

    Boxes of a face that moved by more than its width since the last detection do not overlap; such
    a box is paired with an unpaired one of similar size nearby.

    Args:
        known: K boxes ``(x1, y1, x2, y2)``.
        found: float32 ``(N, 4)``.
        min_overlap: Smallest overlap (intersection over union) of a pair of the first kind.

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
    """Return the distances ``(K, N)`` of the boxes' centres, in mean sides of the two boxes."""
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
