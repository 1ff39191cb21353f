"""The architectures: one file each, chosen by name.

A new architecture is one file here and its line in ``_MODELS``. Every model takes ``num_classes``,
``input_size`` and ``in_channels`` as keywords, maps float ``(N, C, S, S)`` to raw logits
``(N, num_classes)`` and names the layer for Grad-CAM in ``last_conv``.
"""

from collections.abc import Callable
from typing import Any

from torch import nn

from utils.errors import ConfigError
from utils.models.emotion_cnn import EmotionCNN
from utils.models.se_resnet import SEResNet

_MODELS: dict[str, Callable[..., nn.Module]] = {
    "emotion_cnn": EmotionCNN,
    "se_resnet": SEResNet,
}

# These take other input sizes than the one they were built for.
FULLY_CONVOLUTIONAL = frozenset({"se_resnet"})

# These have ``freeze_backbone(trainable_groups)`` and can be fine-tuned layer group by layer group.
FINE_TUNED = frozenset({"mobilenet_v3_large", "vit"})


def list_models() -> tuple[str, ...]:
    """Return the names that ``build_model`` accepts, in alphabetical order."""
    return tuple(sorted(_MODELS))


def build_model(name: str, **args: Any) -> nn.Module:
    """Build an untrained model.

    Args:
        name: One of ``list_models()``.
        **args: Arguments of the architecture, such as ``num_classes``, ``input_size``,
            ``in_channels`` and ``dropout``.

    Raises:
        ConfigError: The name is unknown or the architecture does not take an argument.
    """
    if name not in _MODELS:
        raise ConfigError(f"unknown model {name!r}; known models: {', '.join(list_models())}")
    try:
        return _MODELS[name](**args)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model {name} can't be built with {args}: {error}") from error


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
