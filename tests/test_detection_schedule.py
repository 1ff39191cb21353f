"""Faces are searched for as often as their motion asks, and no oftener than the machine can."""

import numpy as np
import pytest

from utils.inference.detection_schedule import STILL, UNSURE, DetectionSchedule
from utils.inference.smoothing import Prediction, frozen
from utils.inference.tracking import Track


def track(speed: float = 0.0, sightings: int = 5) -> Track:
    """Return a face of 100 pixels that moves by ``speed`` pixels a second."""
    answer = Prediction(frozen(np.ones(1)), frozen(np.ones(1)), frozen(np.ones(1)), 0)
    box, velocity = np.array([0, 0, 100, 100.0]), np.array([speed, 0, speed, 0])
    return Track(1, 0.0, box, velocity, 0.9, answer, sightings=sightings)


def first_due(plan: DetectionSchedule, *tracks: Track) -> float:
    """Return how long after a search at 0 the next one is due."""
    return next(t / 100 for t in range(1000) if plan.due(t / 100, tracks))


def searched(seconds: float = 0.0, rest: float = 1.5) -> DetectionSchedule:
    plan = DetectionSchedule(rest)
    plan.searched(0.0, seconds)
    return plan


def test_the_first_frame_and_a_step_back_in_time_are_searched() -> None:
    assert DetectionSchedule().due(0.0, ())
    plan = DetectionSchedule()
    plan.searched(50.0, 0.01)
    assert plan.due(0.0, [track()])


def test_still_faces_are_searched_for_seldom_and_moving_ones_often() -> None:
    waits = [first_due(searched(), track(speed)) for speed in (0, 30, 100, 400)]
    assert waits[0] == pytest.approx(STILL, abs=0.011)
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < STILL / 4
    assert first_due(searched(), track(), track(400)) == waits[-1]


def test_nobody_and_a_new_face_are_looked_at_again_soon() -> None:
    assert first_due(searched()) == pytest.approx(UNSURE, abs=0.011)
    assert first_due(searched(), track(sightings=1)) == pytest.approx(UNSURE, abs=0.011)


def test_a_slow_detector_gets_a_rest_but_not_for_files() -> None:
    assert first_due(searched(seconds=0.4), track(400)) == pytest.approx(0.6, abs=0.011)
    assert first_due(searched(seconds=0.4, rest=0.0), track()) == pytest.approx(STILL, abs=0.011)
