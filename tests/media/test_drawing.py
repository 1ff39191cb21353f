"""Drawing: boxes and plates in the emotions' colours, on pictures of every size."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageColor

from utils.emotions import EMOTIONS, color_of
from utils.media.drawing import annotate, draw_into
from utils.results import Face, FrameResult

GREY = 90


def result(image: NDArray[np.uint8], *faces: Face) -> FrameResult:
    return FrameResult(model="m", width=image.shape[1], height=image.shape[0], faces=faces)


def face(box: tuple[float, float, float, float], emotion: str = "happy", **more: object) -> Face:
    values = {
        "score": 0.9,
        "confidence": 0.97,
        "uncertain": False,
        "probabilities": {emotion: 0.97},
    }
    return Face(box=box, emotion=emotion, **(values | more))  # type: ignore[arg-type]


@pytest.fixture
def image() -> NDArray[np.uint8]:
    return np.full((240, 320, 3), GREY, np.uint8)


@pytest.mark.parametrize("emotion", [*EMOTIONS, "another class"])
def test_the_box_has_the_emotions_colour(image: NDArray[np.uint8], emotion: str) -> None:
    drawn = annotate(image, result(image, face((100, 80, 200, 180), emotion)))
    color = np.array(ImageColor.getrgb(color_of(emotion)))
    near = np.abs(drawn[170:190, 120:180].astype(int) - color).max(2) < 12
    assert near.any(0).all(), "the lower edge of the box is not all there"
    assert (drawn[110:160, 120:180] == GREY).all(), "the face itself must stay free"


def test_the_original_is_not_changed_but_in_place_it_is(image: NDArray[np.uint8]) -> None:
    answer = result(image, face((100, 80, 200, 180)))
    drawn = annotate(image, answer)
    assert (image == GREY).all()
    assert draw_into(image, answer) is image
    np.testing.assert_array_equal(image, drawn)


def test_no_face_changes_nothing(image: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(annotate(image, result(image)), image)


@pytest.mark.parametrize(
    "box",
    [(0, 0, 60, 60), (260, 0, 320, 60), (0, 180, 60, 240), (260, 180, 320, 240), (0, 0, 320, 240)],
)
def test_the_plate_stays_inside(image: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
    with_plate = annotate(image, result(image, face(box)))
    wide = annotate(image, result(image, face(box, "another class of a long name")))
    for drawn in (with_plate, wide):
        changed = (drawn != GREY).any(2)
        edge = np.zeros_like(changed)
        x1, y1, x2, y2 = box
        edge[max(y1 - 4, 0) : y2 + 4, max(x1 - 4, 0) : x2 + 4] = True
        edge[y1 + 6 : y2 - 6, x1 + 6 : x2 - 6] = False
        assert (changed & ~edge).sum() > 200, "there is no plate"


def test_an_uncertain_face_looks_different(image: NDArray[np.uint8]) -> None:
    sure = annotate(image, result(image, face((100, 80, 200, 180))))
    uncertain = annotate(image, result(image, face((100, 80, 200, 180), uncertain=True)))
    assert (sure[176:184] != uncertain[176:184]).any()


def test_a_number_is_shown(image: NDArray[np.uint8]) -> None:
    plain = annotate(image, result(image, face((100, 80, 200, 180))))
    numbered = annotate(image, result(image, face((100, 80, 200, 180), track_id=3)))
    assert (plain != numbered).any()


def test_labels_cover_no_other_face_and_no_other_label() -> None:
    image = np.full((400, 600, 3), GREY, np.uint8)
    grid = [(20 + 60 * i, 30 + 75 * j) for j in range(4) for i in range(9)]
    boxes = [(x, y, x + 40, y + 40) for x, y in grid]
    faces = [face(box, track_id=number) for number, box in enumerate(boxes, 1)]
    drawn = annotate(image, result(image, *faces))
    for left, top, right, bottom in boxes:
        inner = drawn[top + 4 : bottom - 4, left + 4 : right - 4]
        assert (inner == GREY).all(), "a label covers a face"


def test_labels_of_a_panorama_can_be_read() -> None:
    image = np.full((500, 6000, 3), GREY, np.uint8)
    drawn = annotate(image, result(image, face((3000, 200, 3100, 320), track_id=1)))
    label = (drawn[:196] != GREY).any(2).any(1).sum()
    assert label > 40, "shown 900 pixels wide, it has some six pixels"


@pytest.mark.parametrize("shape", [(1, 1), (12, 30), (48, 48), (3000, 4000)])
def test_any_size_of_picture(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), GREY, np.uint8)
    drawn = annotate(image, result(image, face((0, 0, shape[1], shape[0]))))
    assert drawn.shape == image.shape
    assert (drawn != GREY).any()
