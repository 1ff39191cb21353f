"""What the architectures with ImageNet weights share."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.error import URLError

from torch import nn

from utils.errors import ConfigError


def with_weights(build: Callable[..., nn.Module], pretrained: bool, **args: Any) -> nn.Module:
    """Build a torchvision model, with its default ImageNet weights if asked for.

    Raises:
        ConfigError: The weights can't be downloaded.
    """
    try:
        return build(weights="DEFAULT" if pretrained else None, **args)
    except (URLError, OSError) as error:
        raise ConfigError(
            f"the ImageNet weights can't be downloaded ({error}); connect to the internet once, or "
            "train from scratch with model_args: {pretrained: false}"
        ) from error


def train_last_groups(
    network: nn.Module, groups: Sequence[Sequence[nn.Module]], head: nn.Module, number: int
) -> None:
    """Freeze a network but for its head and the last groups of its layers.

    Frozen BatchNorm layers keep their statistics only in evaluation mode; that they follow the new
    pictures here is wanted.

    Args:
        network: The whole network.
        groups: Layers from the input to the head.
        head: What always trains.
        number: How many of the groups train, counted from the head; all if there are not as many.
    """
    free = number >= len(groups)
    for parameter in network.parameters():
        parameter.requires_grad_(free)
    trained = [head, *(m for group in groups[max(0, len(groups) - number) :] for m in group)]
    for module in trained:
        for parameter in module.parameters():
            parameter.requires_grad_(True)
