"""Network input: the same at training and at use, and as the checkpoint describes it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from utils.faces.crop import CropGeometry
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.training.config import AugmentationConfig, TargetConfig
from utils.training.loader import BatchLoader
from utils.training.targets import label_targets

GREY = Preprocessing(32, "grey", (0.4,), (0.2,), {"haar": CropGeometry(1.2, 0.0, 0.1)})
RGB = Preprocessing(40, "rgb", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), {})
each_color = pytest.mark.parametrize("spec", [GREY, RGB], ids=["grey", "rgb"])


@each_color
def test_the_description_comes_back_from_json(spec: Preprocessing) -> None:
    assert Preprocessing(**json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input_size", 0),
        ("input_size", -5),
        ("input_size", 10**6),
        ("input_size", "48"),
        ("color", "green"),
        ("mean", (float("nan"),)),
        ("mean", ("grey",)),
        ("mean", (0.5, 0.5, 0.5)),
        ("std", (0.0,)),
        ("std", (-0.2,)),
        ("std", (float("inf"),)),
        ("geometry", {"haar": {"scale": 1e9}}),
        ("geometry", {"haar": {"scale": 1.0, "angle": 3.0}}),
    ],
)
def test_an_impossible_description_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Preprocessing(**GREY.to_dict() | {name: value})


@each_color
@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("shape", [(32, 32), (100, 100), (7, 9)])
def test_shapes(spec: Preprocessing, count: int, shape: tuple[int, int]) -> None:
    found = spec(np.zeros((count, *shape, 3), np.uint8))
    assert found.shape == (count, spec.channels, spec.input_size, spec.input_size)
    assert found.dtype == np.float32


def test_grey_is_the_luma_of_bt_601() -> None:
    primaries = np.eye(3, dtype=np.uint8)[:, None, None].repeat(32, 1).repeat(32, 2) * 255
    levels = GREY.to_network_size(primaries)
    assert [int(level[0, 0, 0]) for level in levels] == [76, 150, 29]


def test_rgb_keeps_the_order_of_its_channels() -> None:
    crop = np.full((1, 40, 40, 3), (255, 0, 51), np.uint8)
    found = RGB(crop)[0, :, 0, 0]
    np.testing.assert_allclose(
        found, [(1 - 0.1) / 0.4, (0 - 0.2) / 0.5, (0.2 - 0.3) / 0.6], rtol=1e-5
    )


def test_shrinking_averages_and_enlarging_keeps_the_level() -> None:
    board = (np.indices((96, 96)).sum(0) % 2 * 255).astype(np.uint8)
    stripes = board[None, ..., None].repeat(3, 3)
    shrunk = GREY.to_network_size(stripes)
    assert abs(shrunk.astype(float) - 127.5).max() < 30
    even = np.full((1, 8, 8, 3), 90, np.uint8)
    assert (GREY.to_network_size(even) == 90).all()


@each_color
def test_training_sees_what_use_sees(spec: Preprocessing, tmp_path: Path) -> None:
    """One file, read and normalised by the training loop and by the classifier's function."""
    side = spec.input_size
    pixels: NDArray[np.uint8] = np.random.default_rng(1).integers(
        0, 256, (2, side, side, 3), np.uint8
    )
    if spec.color == "grey":
        pixels[:] = pixels[..., :1]
    for split in ("train", "validation"):
        for name, picture in zip("ab", pixels, strict=True):
            path = tmp_path / split / name / "1.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(picture).save(path)
    train = load_split(tmp_path, "train", preprocessing=spec)
    batches = BatchLoader(
        [train],
        label_targets(TargetConfig(), train),
        augmentation=AugmentationConfig(preset="none"),
        batch_size=2,
        device=torch.device("cpu"),
    )
    images, targets = next(batches.epoch(1))
    used = spec(pixels)[targets.argmax(1).numpy()]
    np.testing.assert_allclose(images.numpy(), used, atol=1e-5)
    assert not np.allclose(images.numpy(), used[::-1], atol=1e-2)
