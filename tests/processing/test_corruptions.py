"""Each corruption does what its name says, the same way every time."""

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.processing.corruptions import CORRUPTIONS


@pytest.fixture
def face(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(astronaut[60:180, 170:290])


@pytest.mark.parametrize("name", list(CORRUPTIONS))
@pytest.mark.parametrize("step", [1, 3])
def test_an_image_stays_an_image(name: str, step: int, face: NDArray[np.uint8]) -> None:
    image = np.ascontiguousarray(face[::step, ::step])
    before = image.copy()
    corrupted = CORRUPTIONS[name](image)
    assert corrupted.shape == image.shape
    assert corrupted.dtype == np.uint8
    assert np.abs(corrupted.astype(int) - image).mean() > 0.5
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(CORRUPTIONS[name](image), corrupted)


def detail(image: NDArray[np.uint8]) -> float:
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


def test_each_does_what_it_says(face: NDArray[np.uint8]) -> None:
    made = {name: corrupt(face) for name, corrupt in CORRUPTIONS.items()}
    assert made["low light"].mean() == pytest.approx(face.mean() / 4, rel=0.05)
    assert detail(made["blur"]) < 0.8 * detail(face)
    assert detail(made["24 pixels"]) < 0.8 * detail(face)
    assert (made["noise"].astype(int) - face).std() == pytest.approx(15, rel=0.15)
    centre = slice(40, 80), slice(40, 80)
    assert np.abs(made["colour cast"][centre].astype(int) - face[centre]).mean() < 40
    changed = np.abs(made["glasses"].astype(int) - face).sum(2) > 0
    assert changed[30:65].any()
    assert not changed[:25].any()
    assert not changed[70:].any()
    changed = np.abs(made["hand"].astype(int) - face).sum(2) > 0
    assert not changed[:60].any()
    assert 0.05 < changed.mean() < 0.3
