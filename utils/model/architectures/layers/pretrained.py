"""ImageNet weights of torchvision's architectures."""

from collections.abc import Callable
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
            "train from random weights"
        ) from error
