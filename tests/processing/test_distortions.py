"""Distortions of the playground and of the sample pictures."""

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.processing.distortions import (
    REFERENCE_FACE,
    Distortion,
    cover,
    darken,
    defocus,
    distort,
    flip_region,
    mirror_pair,
)

Image = NDArray[np.uint8]
BOX = (180.0, 60.0, 268.0, 170.0)
REGION = slice(124, 162), slice(196, 252)


def detail(image: Image) -> float:
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


def test_the_defaults_change_nothing(astronaut: Image) -> None:
    np.testing.assert_array_equal(distort(astronaut, BOX, Distortion()), astronaut)


@pytest.mark.parametrize(
    "distortion",
    [Distortion(blur=4), Distortion(light=0.3), Distortion(noise=30), Distortion(rotation=40)],
    ids=["blur", "light", "noise", "rotation"],
)
def test_each_distortion_changes_a_copy_the_same_way_every_time(
    astronaut: Image, distortion: Distortion
) -> None:
    before = astronaut.copy()
    changed = distort(astronaut, BOX, distortion)
    assert changed.shape == astronaut.shape
    assert changed.dtype == np.uint8
    assert np.abs(changed.astype(int) - astronaut).mean() > 1
    np.testing.assert_array_equal(distort(astronaut, BOX, distortion), changed)
    np.testing.assert_array_equal(astronaut, before)


def test_each_does_what_it_says(astronaut: Image) -> None:
    assert detail(distort(astronaut, BOX, Distortion(blur=4))) < 0.6 * detail(astronaut)
    dark = distort(astronaut, BOX, Distortion(light=0.5))
    assert dark.mean() == pytest.approx(astronaut.mean() / 2, rel=0.02)
    grey = np.full((120, 120, 3), 128, np.uint8)
    assert distort(grey, BOX, Distortion(noise=20)).std() == pytest.approx(20, rel=0.05)
    turned = distort(astronaut, (0.0, 0.0, 511.0, 511.0), Distortion(rotation=180))
    np.testing.assert_array_equal(turned, astronaut[::-1, ::-1])


def test_blur_grows_with_the_face(astronaut: Image) -> None:
    twice = (0.0, 0.0, 2.0 * REFERENCE_FACE, 100.0)
    once = (0.0, 0.0, 1.0 * REFERENCE_FACE, 100.0)
    np.testing.assert_array_equal(
        distort(astronaut, twice, Distortion(blur=2)), distort(astronaut, once, Distortion(blur=4))
    )


def test_sample_distortions(astronaut: Image) -> None:
    before = astronaut.copy()
    assert darken(astronaut, 0.12).mean() < 0.13 * astronaut.mean()
    assert detail(defocus(astronaut, 6)) < 0.5 * detail(astronaut)
    covered = cover(astronaut, REGION)
    assert len(np.unique(covered[REGION].reshape(-1, 3), axis=0)) == 1
    flipped = flip_region(astronaut, REGION)
    np.testing.assert_array_equal(flipped[REGION], astronaut[REGION][::-1])
    for changed in (covered, flipped):
        outside = np.ones(astronaut.shape[:2], bool)
        outside[REGION] = False
        np.testing.assert_array_equal(changed[outside], astronaut[outside])
    pair = mirror_pair(astronaut, REGION)
    assert pair.shape == (38, 112, 3)
    np.testing.assert_array_equal(pair, pair[:, ::-1])
    np.testing.assert_array_equal(astronaut, before)
