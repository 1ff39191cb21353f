"""The history of a live stream as a table: one number for one person."""

import numpy as np

from utils.emotions import EMOTIONS
from utils.inference.history_table import RETURN_SECONDS, history_table
from utils.inference.timeline import TimelineRow
from utils.results import Status

SHARES = np.full(len(EMOTIONS), 1 / len(EMOTIONS), np.float32)
LEFT, RIGHT = np.array([0, 0, 100, 100], np.float32), np.array([400, 0, 500, 100], np.float32)


def seen(track_id: int, box: np.ndarray, *times: float) -> list[TimelineRow]:
    shares = SHARES
    return [TimelineRow(t, Status.OK, track_id, shares, shares, shares, box=box) for t in times]


def numbers(*rows: TimelineRow) -> list[float]:
    ordered = sorted(rows, key=lambda row: row.time)
    return history_table(ordered, EMOTIONS, seconds=30.0)["track_id"].tolist()


def test_a_face_that_is_found_again_keeps_its_line() -> None:
    assert numbers(*seen(1, LEFT, 0, 1), *seen(2, LEFT + 20, 4, 5)) == [2, 2, 2, 2]
    again = (*seen(1, LEFT, 0), *seen(2, LEFT, 4), *seen(5, LEFT, 8))
    assert numbers(*again) == [5, 5, 5]


def test_another_face_gets_a_line_of_its_own() -> None:
    assert numbers(*seen(1, LEFT, 0, 1), *seen(2, RIGHT, 4)) == [1, 1, 2]
    assert numbers(*seen(1, LEFT, 0), *seen(2, LEFT, RETURN_SECONDS + 1)) == [1, 2]
    assert numbers(*seen(1, LEFT, 0, 2), *seen(2, LEFT, 1, 3)) == [1, 2, 1, 2]


def test_two_lost_faces_are_found_where_they_were() -> None:
    rows = (*seen(1, LEFT, 0), *seen(2, RIGHT, 0), *seen(3, RIGHT, 4), *seen(4, LEFT, 5))
    assert numbers(*rows) == [4, 3, 3, 4]


def test_rows_without_a_face_have_no_number() -> None:
    table = history_table([TimelineRow(0.0, Status.NO_FACE)], EMOTIONS, seconds=30.0)
    assert table["track_id"].isna().all()
