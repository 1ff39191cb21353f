"""Identity across frames."""

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.faces.base import Detections
from utils.inference.face_results import ClassifiedFaces
from utils.inference.tracking.smoothing import Prediction, Smoother, Smoothing
from utils.inference.tracking.track import MAX_PREDICTION, Track, as_detections, expected_faces
from utils.inference.tracking.tracker import Tracker, box_iou, match_boxes
from utils.results import FaceProblem

OFF = Smoothing(Smoother(0.0), Smoother(0.0))


def classified(
    *boxes: tuple[float, float, float, float],
    probabilities: NDArray[np.float32] | None = None,
    problem: FaceProblem | None = None,
) -> ClassifiedFaces:
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    detections = Detections(array, np.full(len(array), 0.9, dtype=np.float32))
    if probabilities is None:
        probabilities = np.full((len(boxes), 2), 0.5, dtype=np.float32)
    return ClassifiedFaces(detections, probabilities, [problem] * len(boxes))


def see(tracker: Tracker, time: float, *boxes: tuple[float, float, float, float]) -> list[int]:
    return [t.track_id for t in tracker.update(time, classified(*boxes), smoothing=OFF)]


def test_faces_keep_their_identities_while_moving_and_changing_order() -> None:
    tracker = Tracker()
    assert see(tracker, 0.0, (0, 0, 100, 100), (300, 0, 380, 80)) == [1, 2]
    assert see(tracker, 0.1, (305, 0, 395, 90), (10, 5, 110, 105)) == [2, 1]
    assert see(tracker, 0.2, (20, 10, 120, 110), (310, 0, 400, 90), (0, 300, 60, 360)) == [1, 2, 3]


def test_crossing_faces_are_told_apart_by_the_best_sum_of_overlaps() -> None:
    tracker = Tracker()
    see(tracker, 0.0, (100, 0, 200, 100), (160, 0, 260, 100))
    # The first box overlaps track 1 most, but the second has no other track to belong to.
    assert see(tracker, 0.1, (125, 0, 225, 100), (70, 0, 170, 100)) == [2, 1]


def test_a_face_survives_a_short_absence_but_not_a_long_one() -> None:
    tracker = Tracker(max_gap=1.0)
    see(tracker, 0.0, (0, 0, 100, 100))
    assert see(tracker, 0.5) == []
    assert see(tracker, 0.95, (5, 0, 105, 100)) == [1]
    tracker.record_empty(1.5)
    assert see(tracker, 2.1, (5, 0, 105, 100)) == [2]


@pytest.mark.parametrize("fps", [5, 10, 15, 30])
@pytest.mark.parametrize("speed", [60, 160, 320])
def test_two_people_who_cross_keep_their_identities(fps: int, speed: int) -> None:
    """Walking past each other; while their faces overlap, only the nearer one is seen."""
    rng, tracker, side = np.random.default_rng(0), Tracker(), 100
    wrong, hidden, seconds = 0, 0, 600 / speed
    for frame in range(round(seconds * fps)):
        time = frame / fps
        left, right = speed * time, 600 - speed * time
        noise = rng.normal(0, 2, 2)
        boxes = [
            (left + noise[0], 100, left + noise[0] + side, 100 + side),
            (right + noise[1], 110, right + noise[1] + side * 0.9, 110 + side * 0.9),
        ]
        if abs(left - right) < 0.6 * side:
            hidden += 1
            boxes = boxes[:1]
        numbers = see(tracker, time, *boxes)
        wrong += numbers != [1, 2][: len(numbers)]
    assert hidden > 0 or fps * 0.6 * side / speed < 2
    assert wrong == 0


def test_a_face_hidden_for_a_second_keeps_its_identity() -> None:
    tracker = Tracker()
    for step in range(10):
        see(tracker, step / 10, (100 + step, 100, 200 + step, 200))
    for step in range(10, 20):
        assert see(tracker, step / 10) == []
    assert see(tracker, 2.0, (118, 102, 218, 202)) == [1]


def test_a_slow_machine_does_not_make_a_face_a_new_one() -> None:
    tracker = Tracker(max_gap=1.0)
    see(tracker, 0.0, (0, 0, 100, 100))
    assert see(tracker, 4.0, (5, 0, 105, 100)) == [1]
    assert see(tracker, 8.0, (300, 0, 400, 100)) == [2]
    assert [t.track_id for t in tracker.tracks] == [2]
    assert see(tracker, 60.0, (300, 0, 400, 100)) == [3]


def test_media_time_that_steps_back_starts_afresh() -> None:
    tracker = Tracker()
    see(tracker, 50.0, (0, 0, 100, 100))
    see(tracker, 50.1, (0, 0, 100, 100), (300, 0, 400, 100))
    assert see(tracker, 0.0, (0, 0, 100, 100)) == [1]


def test_boxes_are_predicted_with_constant_velocity_for_a_short_while() -> None:
    tracker = Tracker()
    for step in range(20):
        see(tracker, step * 0.1, (step * 10, 0, step * 10 + 100, 100))
    (track,) = tracker.tracks
    assert track.velocity == pytest.approx([100, 0, 100, 0], abs=1)
    assert track.box_at(2.0)[0] == pytest.approx(200, abs=1)
    assert track.box_at(99.0)[0] == pytest.approx(190 + 100 * MAX_PREDICTION, abs=1)


def test_landmarks_move_with_the_box() -> None:
    marks = np.full((5, 2), 50, dtype=np.float32)
    ones = np.ones(1, dtype=np.float32)
    box, speed = np.array([0, 0, 100, 100]), np.array([100, 50, 100, 50])
    track = Track(1, 0.0, box, speed, 0.9, Prediction(ones, ones, ones, 0), marks)
    moved = track.landmarks_at(0.2)
    assert moved is not None
    assert moved[0] == pytest.approx([70, 60])


def test_tracks_carry_raw_smoothed_and_chart_probabilities_read_only() -> None:
    tracker = Tracker()
    smoothing = Smoothing(Smoother(0.28), Smoother(0.62))
    box = (0, 0, 100, 100)
    first = np.array([[1.0, 0.0]], dtype=np.float32)
    tracker.update(0.0, classified(box, probabilities=first), smoothing=smoothing)
    faces = classified(box, probabilities=np.array([[0.0, 1.0]], dtype=np.float32))
    (track,) = tracker.update(0.1, faces, smoothing=smoothing)
    faces.probabilities[:] = 0.5
    faces.detections.boxes[:] = 7
    prediction = track.prediction
    assert prediction.raw.tolist() == [0, 1]
    assert track.box.tolist() == list(box)
    assert 0 < prediction.smoothed[1] < 1
    assert 0 < prediction.chart[1] < prediction.smoothed[1]
    assert prediction.smoothed.sum() == pytest.approx(1)
    for array in (prediction.raw, prediction.smoothed, prediction.chart, track.box, track.velocity):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_a_face_classified_without_detection_keeps_its_motion_and_gets_a_new_prediction() -> None:
    tracker, quick = Tracker(), Smoothing(Smoother(0.1), Smoother(0.2), change=None)
    box = (20, 0, 120, 100)
    sure = np.array([[1.0, 0.0]], dtype=np.float32)
    for step in range(3):
        faces = classified((step * 10, 0, step * 10 + 100, 100), probabilities=sure)
        tracker.update(step / 10, faces, smoothing=quick)
    before = tracker.present
    other = classified(box, probabilities=np.array([[0.0, 1.0]], dtype=np.float32))
    (once,) = tracker.update_predictions(0.25, before, faces=other, smoothing=quick)
    (twice,) = tracker.update_predictions(0.3, (once,), faces=other, smoothing=quick)
    assert (twice.track_id, twice.detected_at, twice.classified_at) == (1, 0.2, 0.3)
    assert (twice.velocity == before[0].velocity).all()
    # Smoothing goes by the time since the last classification, not since the last detection.
    assert twice.prediction.smoothed[0] == pytest.approx(np.exp(-0.1 / 0.1), abs=1e-4)
    assert tracker.tracks == (twice,)
    dark = classified(box, probabilities=sure, problem=FaceProblem.TOO_DARK)
    (hidden,) = tracker.update_predictions(0.35, (twice,), faces=dark, smoothing=quick)
    assert hidden.problem is FaceProblem.TOO_DARK
    assert (hidden.prediction.smoothed == twice.prediction.smoothed).all()


def test_faces_are_expected_where_they_move_unless_that_is_outside_the_frame() -> None:
    tracker = Tracker()
    for step in range(5):
        left = step * 10
        see(tracker, step / 10, (left, 0, left + 100, 100), (300 + left, 0, 340 + left, 40))
    (face,) = expected_faces(tracker.present, 0.6, size=(110, 80))
    assert face.track.track_id == 1
    assert face.box == pytest.approx([60, 0, 110, 80], abs=2)  # clipped to the frame
    detections = as_detections((face,))
    assert (detections.boxes == face.box).all()
    assert detections.landmarks is None
    assert len(as_detections(())) == 0


def test_only_what_the_last_search_found_is_present() -> None:
    tracker = Tracker()
    see(tracker, 0.0, (0, 0, 100, 100), (300, 0, 400, 100))
    see(tracker, 0.1, (0, 0, 100, 100))
    assert [(t.track_id, t.detection_count) for t in tracker.present] == [(1, 2)]
    assert len(tracker.tracks) == 2
    tracker.record_empty(0.2)
    assert tracker.present == ()


def test_overlap() -> None:
    a = np.array([[0, 0, 10, 10], [5, 5, 5, 5]], dtype=np.float32)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], dtype=np.float32)
    assert box_iou(a, b).tolist() == [pytest.approx([1, 1 / 3, 0]), [0, 0, 0]]


def test_a_jump_by_a_width_is_the_same_face_but_not_one_of_another_size_or_far_away() -> None:
    known = [np.array([100, 100, 160, 160], np.float32)]
    for box, same in (
        ([165, 105, 225, 165], True),
        ([100, 180, 160, 240], False),
        ([165, 105, 265, 205], False),
        ([300, 100, 360, 160], False),
    ):
        pairs = match_boxes(known, np.array([box], np.float32), min_overlap=0.2)
        assert pairs == ({0: 0} if same else {}), box
    # A face that overlaps comes before one that is near.
    found = np.array([[165, 105, 225, 165], [105, 100, 165, 160]], np.float32)
    assert match_boxes(known, found, min_overlap=0.2) == {1: 0}
