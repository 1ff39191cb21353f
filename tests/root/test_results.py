"""The order in which people count the faces of a picture."""

import pytest
from frames import frame

from utils.results import Box, FrameResult


def result(*boxes: Box) -> FrameResult:
    face = frame(0.0).faces[0]
    return frame(0.0).model_copy(
        update={"faces": tuple(face.model_copy(update={"box": box}) for box in boxes)}
    )


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [(10, 10, 50, 60)],
        [(10, 15, 50, 60), (100, 5, 150, 70), (200, 30, 230, 65)],  # one uneven row
        [(300, 10, 340, 60), (10, 100, 60, 160), (200, 90, 240, 150)],  # two rows
        [(10, 10, 50, 50), (12, 55, 48, 95), (9, 100, 51, 140)],  # one below the other
    ],
)
def test_faces_are_counted_row_by_row_from_left_to_right(boxes: list[Box]) -> None:
    for shuffled in (boxes, boxes[::-1], boxes[1:] + boxes[:1]):
        assert [face.box for face in result(*shuffled).in_reading_order().faces] == boxes
