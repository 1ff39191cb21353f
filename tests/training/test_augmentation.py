"""Augmentation: each image by itself, faces stay faces, same seed same result."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from utils.errors import ConfigError
from utils.processing.corruptions import jpeg_30
from utils.training.augmentation import AUGMENTATIONS, Augmentation, build_augmentation
from utils.training.augmentation.sharpness import compress, soften


@pytest.fixture
def faces() -> torch.Tensor:
    image = torch.zeros(1, 1, 48, 48)
    image[..., 10:20, 8:16] = 1.0
    return image.repeat(16, 1, 1, 1)


def test_none_changes_nothing(faces: torch.Tensor) -> None:
    assert torch.equal(build_augmentation("none")(faces), faces)


@pytest.mark.parametrize("name", ["basic", "sharpness", "full"])
def test_images_of_a_batch_change_each_in_its_own_way(name: str, faces: torch.Tensor) -> None:
    torch.manual_seed(0)
    out = build_augmentation(name)(faces)
    assert out.shape == faces.shape
    assert out.min() >= 0
    assert out.max() <= 1
    assert len({tuple(image.flatten().tolist()) for image in out}) > 8


@pytest.mark.parametrize("name", ["sharpness", "full"])
def test_the_same_seed_gives_the_same_images(name: str, faces: torch.Tensor) -> None:
    augment = build_augmentation(name)
    torch.manual_seed(3)
    first = augment(faces)
    torch.manual_seed(3)
    assert torch.equal(augment(faces), first)


def test_flip_mirrors(faces: torch.Tensor) -> None:
    out = Augmentation(flip=1.0)(faces)
    assert torch.allclose(out, faces.flip(-1), atol=1e-4)


def test_a_smaller_size_shows_the_whole_face(faces: torch.Tensor) -> None:
    out = build_augmentation("none")(faces, size=24)
    assert out.shape == (16, 1, 24, 24)
    assert out.mean() == pytest.approx(faces.mean().item(), abs=0.01)


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        (Augmentation(shift=0.1), 4.81),
        (Augmentation(rotation=10), 4.0),
        (Augmentation(zoom=0.1), 4.0),
    ],
)
def test_geometry_stays_within_its_range(
    faces: torch.Tensor, change: Augmentation, limit: float
) -> None:
    torch.manual_seed(0)
    moved = change(faces.repeat(8, 1, 1, 1))
    axis = torch.arange(48.0)
    for image, dim in ((moved.sum(2), "x"), (moved.sum(3), "y")):
        centers = (image[:, 0] * axis).sum(1) / image[:, 0].sum(1)
        expected = 11.5 if dim == "x" else 14.5
        offsets = (centers - expected).abs()
        assert offsets.max() <= limit
        assert offsets.max() > 0.3


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="basic, light, sharpness, full, webcam"):
        build_augmentation("wild")
    assert set(AUGMENTATIONS) == {"none", "basic", "light", "sharpness", "full", "webcam"}


# A seed stands for the same changes in every version: a preset draws as much as it always did.
@pytest.mark.parametrize(
    ("name", "following"),
    [("none", 0.1600), ("basic", 0.7726), ("light", 0.3971), ("full", 0.3971), ("webcam", 0.6555)],
)
def test_presets_draw_as_many_random_numbers_as_before(name: str, following: float) -> None:
    generator = torch.Generator().manual_seed(1)
    grey = torch.rand(16, 1, 48, 48, generator=generator)
    colour = torch.rand(8, 3, 64, 64, generator=generator)
    torch.manual_seed(5)
    build_augmentation(name)(grey)
    build_augmentation(name)(colour, 40)
    assert torch.rand(()).item() == pytest.approx(following, abs=1e-4)


@pytest.fixture
def photo(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(astronaut[40:140, 160:260])


def as_batch(image: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1)[None]).float() / 255


def as_image(batch: torch.Tensor) -> NDArray[np.uint8]:
    return (batch[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def largest_difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("side", [25, 43, 77])
def test_reduced_images_are_those_of_opencv(photo: NDArray[np.uint8], side: int) -> None:
    small = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(small, (100, 100), interpolation=cv2.INTER_LINEAR)
    out = soften(as_batch(photo), torch.tensor([side / 100]), torch.zeros(1))
    assert largest_difference(as_image(out), expected) <= 2


def test_blurred_images_are_those_of_opencv(photo: NDArray[np.uint8]) -> None:
    expected = cv2.GaussianBlur(photo, (0, 0), 2.0)
    out = as_image(soften(as_batch(photo), torch.ones(1), torch.tensor([0.02])))
    inside = (slice(8, -8), slice(8, -8))
    assert largest_difference(out[inside], expected[inside]) <= 2


def test_full_size_without_blur_changes_nothing(photo: NDArray[np.uint8]) -> None:
    out = soften(as_batch(photo), torch.ones(1), torch.zeros(1))
    torch.testing.assert_close(out, as_batch(photo))


def test_each_image_loses_its_own_share_of_detail(photo: NDArray[np.uint8]) -> None:
    batch = as_batch(photo).repeat(3, 1, 1, 1)
    out = soften(batch, torch.tensor([0.25, 0.5, 1.0]), torch.zeros(3))
    detail = out.diff(dim=3).abs().mean((1, 2, 3))
    assert detail[0] < 0.9 * detail[1] < 0.81 * detail[2]


def test_compressed_images_are_those_of_opencv(photo: NDArray[np.uint8]) -> None:
    out = compress(as_batch(photo), torch.tensor([30]))
    assert np.array_equal(as_image(out), jpeg_30(photo))
    grey = as_batch(photo).mean(1, keepdim=True).repeat(2, 1, 1, 1)
    low, high = (compress(grey, torch.tensor([5, 95])) - grey).abs().mean((1, 2, 3))
    assert 0 < high < 0.2 * low


def test_sharpness_varies_detail_only_on_top_of_light(photo: NDArray[np.uint8]) -> None:
    torch.manual_seed(0)
    batch = as_batch(photo).repeat(64, 1, 1, 1)
    out = build_augmentation("sharpness")(batch)
    assert out.shape == batch.shape
    assert 0 <= out.min() < out.max() <= 1
    detail = out.diff(dim=3).abs().mean((1, 2, 3)) / out.std((1, 2, 3))
    torch.manual_seed(0)
    light = build_augmentation("light")(batch)
    spread = light.diff(dim=3).abs().mean((1, 2, 3)) / light.std((1, 2, 3))
    assert detail.max() / detail.min() > 2 > spread.max() / spread.min()
