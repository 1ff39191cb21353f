"""Initial weights: equal to the networks they come from, and damaged files are named."""

from pathlib import Path
from typing import Any

import dlib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from utils.errors import ConfigError
from utils.model.architectures import build_model
from utils.model.architectures.face_resnet import FaceResNet
from utils.model.preprocessing import Preprocessing
from utils.model.pretrained import adapt_batch_norm, build_with_weights, load_face_weights
from utils.model.pretrained.dlib_file import find_file

SIZE = 150


@pytest.fixture(scope="module")
def chip(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A face as dlib's network expects it, RGB uint8 (150, 150, 3)."""
    face = Image.fromarray(astronaut[20:240, 120:340])
    return np.asarray(face.resize((SIZE, SIZE), Image.Resampling.BOX))


def network_input(image: NDArray[np.uint8], preprocessing: Preprocessing) -> torch.Tensor:
    channels = image if preprocessing.color == "rgb" else image[..., :1]
    mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
    values = (channels / 255 - mean) / std
    return torch.from_numpy(values.transpose(2, 0, 1)[None]).float()


def converted(**options: Any) -> tuple[FaceResNet, torch.Tensor, Preprocessing]:
    preprocessing = Preprocessing(input_size=SIZE, **options)
    network = build_model("face_resnet", input_size=SIZE, in_channels=preprocessing.channels).eval()
    assert isinstance(network, FaceResNet)
    return network, load_face_weights(network, preprocessing=preprocessing), preprocessing


def descriptor(network: FaceResNet, images: torch.Tensor, layer: torch.Tensor) -> NDArray[Any]:
    with torch.no_grad():
        return (network.forward_features(images).mean((2, 3)) @ layer)[0].numpy()


def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_network_computes_dlibs_descriptor(chip: NDArray[np.uint8]) -> None:
    original = dlib.face_recognition_model_v1(str(find_file()))
    expected = np.array(original.compute_face_descriptor(chip))
    network, layer, preprocessing = converted(
        color="rgb", mean=(0.5, 0.45, 0.4), std=(0.25, 0.22, 0.21)
    )
    images = network_input(chip, preprocessing)
    assert cosine(descriptor(network, images, layer), expected) > 0.99999
    # The last images make the statistics; the function stays.
    adapt_batch_norm(network, images + 0.1 * torch.randn(8, 3, SIZE, SIZE))
    assert cosine(descriptor(network, images, layer), expected) > 0.99999


def test_grey_input_gives_the_descriptor_of_the_grey_image(chip: NDArray[np.uint8]) -> None:
    grey = np.repeat(chip[..., :1], 3, axis=2)
    original = dlib.face_recognition_model_v1(str(find_file()))
    expected = np.array(original.compute_face_descriptor(grey))
    network, layer, preprocessing = converted(color="grey", mean=(0.51,), std=(0.26,))
    images = network_input(grey, preprocessing)
    assert cosine(descriptor(network, images, layer), expected) > 0.99999


def test_statistics_are_those_of_the_images() -> None:
    network, _, _ = converted(color="grey", mean=(0.5,), std=(0.25,))
    images = torch.randn(16, 1, SIZE, SIZE)
    adapt_batch_norm(network, images)
    with torch.no_grad():
        features = network.stem[0](images)
        before = network.forward_features(images)
        after = network.train().forward_features(images)
    torch.testing.assert_close(network.stem[1].running_mean, features.mean((0, 2, 3)))
    # Batch statistics are the measured ones, so training begins with the same function.
    assert (after - before).abs().mean() < 0.05 * before.abs().mean()


@pytest.mark.parametrize("content", [b"", b"not a network", None])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.dat"
    path.write_bytes(find_file().read_bytes()[:5_000_000] if content is None else content)
    network = build_model("face_resnet", input_size=SIZE, in_channels=1)
    assert isinstance(network, FaceResNet)
    with pytest.raises(ConfigError, match=r"weights\.dat: not dlib's"):
        load_face_weights(network, preprocessing=Preprocessing(input_size=SIZE), path=path)


def test_weights_of_another_architecture_are_refused() -> None:
    with pytest.raises(ConfigError, match="dlib weights exist for face_resnet, not for se_resnet"):
        build_with_weights("se_resnet", {}, source="dlib", preprocessing=Preprocessing())
    with pytest.raises(ConfigError, match="imagenet weights exist for efficientnet_lite0"):
        build_with_weights("face_resnet", {}, source="imagenet", preprocessing=Preprocessing())


def test_the_origin_is_known_and_handed_on(tiny_checkpoint: Path) -> None:
    preprocessing = Preprocessing(input_size=112)
    args = {"input_size": 112, "in_channels": 1}
    _, started = build_with_weights("face_resnet", args, source="dlib", preprocessing=preprocessing)
    assert started["initial_weights"]["licence"] == "CC0-1.0"
    assert started["epochs_before"] == 0
    with pytest.raises(Exception, match="do not fit"):
        build_with_weights(
            "face_resnet", args, source=str(tiny_checkpoint), preprocessing=preprocessing
        )
