"""Augmentation: each image by itself, faces stay faces, same seed same result."""

import pytest
import torch

from utils.errors import ConfigError
from utils.training.augmentation import AUGMENTATIONS, Augmentation, build_augmentation


@pytest.fixture
def faces() -> torch.Tensor:
    image = torch.zeros(1, 1, 48, 48)
    image[..., 10:20, 8:16] = 1.0
    return image.repeat(16, 1, 1, 1)


def test_none_changes_nothing(faces: torch.Tensor) -> None:
    assert torch.equal(build_augmentation("none")(faces), faces)


@pytest.mark.parametrize("name", ["basic", "full"])
def test_images_of_a_batch_change_each_in_its_own_way(name: str, faces: torch.Tensor) -> None:
    torch.manual_seed(0)
    out = build_augmentation(name)(faces)
    assert out.shape == faces.shape
    assert out.min() >= 0
    assert out.max() <= 1
    assert len({tuple(image.flatten().tolist()) for image in out}) > 8


def test_the_same_seed_gives_the_same_images(faces: torch.Tensor) -> None:
    augment = build_augmentation("full")
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
    with pytest.raises(ConfigError, match="basic, light, full, webcam"):
        build_augmentation("wild")
    assert set(AUGMENTATIONS) == {"none", "basic", "light", "full", "webcam"}
