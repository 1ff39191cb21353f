"""Thumbnails of faces."""

from io import BytesIO

import numpy as np
import pytest
from frames import frame
from numpy.typing import NDArray
from PIL import Image

from utils.media.thumbnails import BestFaces, face_thumbnail


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("size", [1, 16, 72])
def test_a_thumbnail_shows_the_box_in_its_colours(size: int) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    image[10:40, 20:60] = (200, 40, 10)
    shown = decode(face_thumbnail(image, (20.4, 10.2, 60.0, 40.0), size=size))
    assert shown.shape == (size, size, 3)
    assert np.abs(shown.astype(int) - (200, 40, 10)).max() < 12


@pytest.mark.parametrize("box", [(5.0, 5.0, 5.0, 5.0), (79.2, 59.1, 80.0, 60.0)])
def test_a_face_smaller_than_a_pixel_has_one_too(box: tuple[float, float, float, float]) -> None:
    image = np.full((60, 80, 3), 90, np.uint8)
    assert decode(face_thumbnail(image, box)).shape == (72, 72, 3)


def test_the_picture_of_a_face_is_the_clearest_one() -> None:
    best = BestFaces()
    for value, happy, faces in ((40, 0.2, 2), (120, 0.9, 1), (200, 0.2, 1)):
        best.add(np.full((48, 64, 3), value, np.uint8), frame(0.0, happy=happy, faces=faces))
    shades = {number: int(decode(jpeg).mean()) for number, jpeg in best.portraits.items()}
    assert shades == {1: 120, 2: 40}
    shape = decode(best.portraits[1]).shape
    assert shape[0] == shape[1]
