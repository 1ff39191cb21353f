"""Functions for the architectures with ImageNet weights."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.error import URLError

from torch import nn

from utils.errors import ConfigError


def with_weights(build: Callable[..., nn.Module], *, pretrained: bool, **args: Any) -> nn.Module:
    """Build a torchvision model, with its default ImageNet weights if ``pretrained``.

    Raises:
        ConfigError: The weights can't be downloaded.
    """
    try:
        return build(weights="DEFAULT" if pretrained else None, **args)
    except (URLError, OSError) as error:
        raise ConfigError(
            f"the ImageNet weights can't be downloaded ({error}); connect to the internet once, or "
            "train from random weights with model_args: {pretrained: false}"
        ) from error


def train_last_groups(
    network: nn.Module,
    groups: Sequence[Sequence[nn.Module]],
    *,
    last_layer: nn.Module,
    trainable_groups: int,
) -> None:
    """Freeze a network except for its last layer and its last groups of layers.

    Frozen BatchNorm layers still update their statistics in training mode, which adapts them to the
    new images.

    Args:
        network: The whole network.
        groups: Groups of layers, from the input to the last layer.
        last_layer: The layer that is always trained.
        trainable_groups: Number of groups to train, counted from the last layer; a number beyond
            all groups trains the whole network.
    """
    everything = trainable_groups >= len(groups)
    for parameter in network.parameters():
        parameter.requires_grad_(everything)
    first = max(0, len(groups) - trainable_groups)
    trained = [last_layer, *(layer for group in groups[first:] for layer in group)]
    for module in trained:
        for parameter in module.parameters():
            parameter.requires_grad_(True)
