"""How faces look at rest: one measurement for each face, by time, with the true reason if none."""

import numpy as np
import pytest

from frontend.live.baseline import FEWEST_PREDICTIONS, neutral_faces, why_unmeasured
from utils.inference.timeline import TimelineRow
from utils.results import FaceProblem, Status

CLASSES = ("happy", "neutral")


def seen(time: float, track_id: int, happy: float) -> TimelineRow:
    shares = np.array([happy, 1 - happy], np.float32)
    return TimelineRow(time, Status.OK, track_id, shares, shares, shares)


def test_each_face_has_its_own_neutral_face() -> None:
    rows = [seen(i, track, happy) for i in range(10) for track, happy in ((1, 0.1), (2, 0.6))]
    found = neutral_faces(rows, CLASSES)
    assert {track: round(values["happy"], 3) for track, values in found.items()} == {1: 0.1, 2: 0.6}
    assert found[1]["neutral"] == pytest.approx(0.9)


def test_a_slow_computer_measures_with_the_few_predictions_it_has() -> None:
    rows = [seen(3.0 * i, 1, 0.2) for i in range(FEWEST_PREDICTIONS)]
    assert set(neutral_faces(rows, CLASSES)) == {1}
    assert not neutral_faces(rows[1:], CLASSES)


def test_the_reason_is_the_true_one() -> None:
    empty = [TimelineRow(i, Status.NO_FACE) for i in range(10)]
    dark = [TimelineRow(i, Status.LOW_QUALITY, 1, problem=FaceProblem.TOO_DARK) for i in range(10)]
    assert "too busy" in why_unmeasured([])
    assert "too busy" in why_unmeasured(dark[:1])
    assert "No face was in view" in why_unmeasured(empty)
    assert "too dark" in why_unmeasured(dark)
    assert "long enough" in why_unmeasured([*empty, seen(11.0, 1, 0.2)])
