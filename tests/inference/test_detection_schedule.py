"""Faces are detected as often as their motion requires, and no oftener than the machine can."""

import numpy as np
import pytest

from utils.inference.tracking.detection_schedule import STILL, UNCERTAIN, DetectionSchedule
from utils.inference.tracking.smoothing import Prediction, frozen
from utils.inference.tracking.track import Track


def track(speed: float = 0.0, detection_count: int = 5) -> Track:
    """Return a face of 100 pixels that moves by ``speed`` pixels a second."""
    prediction = Prediction(frozen(np.ones(1)), frozen(np.ones(1)), frozen(np.ones(1)), 0)
    box, velocity = np.array([0, 0, 100, 100.0]), np.array([speed, 0, speed, 0])
    return Track(1, 0.0, box, velocity, 0.9, prediction, detection_count=detection_count)


def first_due(schedule: DetectionSchedule, *tracks: Track) -> float:
    """Return how long after a detection at 0 the next one is due."""
    return next(t / 100 for t in range(1000) if schedule.due(t / 100, tracks))


def after_detection(seconds: float = 0.0, rest: float = 1.5) -> DetectionSchedule:
    schedule = DetectionSchedule(rest)
    schedule.detected(0.0, seconds)
    return schedule


def test_a_detection_is_due_in_the_first_frame_after_a_step_back_and_after_a_reset() -> None:
    assert DetectionSchedule().due(0.0, ())
    schedule = DetectionSchedule()
    schedule.detected(50.0, 0.01)
    assert schedule.due(0.0, [track()])
    assert not schedule.due(50.01, [track()])
    schedule.reset()
    assert schedule.due(50.01, [track()])


def test_still_faces_are_detected_seldom_and_moving_ones_often() -> None:
    waits = [first_due(after_detection(), track(speed)) for speed in (0, 30, 100, 400)]
    assert waits[0] == pytest.approx(STILL, abs=0.011)
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < STILL / 4
    assert first_due(after_detection(), track(), track(400)) == waits[-1]


def test_after_no_face_and_after_a_new_face_a_detection_is_due_soon() -> None:
    assert first_due(after_detection()) == pytest.approx(UNCERTAIN, abs=0.011)
    assert first_due(after_detection(), track(detection_count=1)) == pytest.approx(
        UNCERTAIN, abs=0.011
    )


def test_a_slow_detector_gets_a_rest_but_not_for_files() -> None:
    assert first_due(after_detection(seconds=0.4), track(400)) == pytest.approx(0.6, abs=0.011)
    assert first_due(after_detection(seconds=0.4, rest=0.0), track()) == pytest.approx(
        STILL, abs=0.011
    )
