"""The architectures: one file each, chosen by name.

A new architecture is one file here and its line in ``_MODELS``. Every model takes ``num_classes``,
``input_size`` and ``in_channels`` as keywords, maps float ``(N, C, S, S)`` to raw logits
``(N, num_classes)`` and names the layer for Grad-CAM in ``last_conv``.
"""

from collections.abc import Callable
from typing import Any

from torch import nn

from utils.errors import ConfigError
from utils.model.architectures.attention_cnn import AttentionCNN
from utils.model.architectures.baseline_cnn import BaselineCNN
from utils.model.architectures.cbam_cnn import CBAMCNN
from utils.model.architectures.emotion_cnn import EmotionCNN
from utils.model.architectures.kernel_cnn import KernelCNN
from utils.model.architectures.mini_xception import MiniXception
from utils.model.architectures.mobilenet_v3_large import MobileNetV3Large
from utils.model.architectures.se_resnet import SEResNet
from utils.model.architectures.simple_resnet import SimpleResNet
from utils.model.architectures.small_vit import SmallViT
from utils.model.architectures.vgg_cnn import VGGCNN
from utils.model.architectures.vit import ViT

_MODELS: dict[str, Callable[..., nn.Module]] = {
    "attention_cnn": AttentionCNN,
    "baseline_cnn": BaselineCNN,
    "cbam_cnn": CBAMCNN,
    "emotion_cnn": EmotionCNN,
    "kernel_cnn": KernelCNN,
    "mini_xception": MiniXception,
    "mobilenet_v3_large": MobileNetV3Large,
    "se_resnet": SEResNet,
    "simple_resnet": SimpleResNet,
    "small_vit": SmallViT,
    "vgg_cnn": VGGCNN,
    "vit": ViT,
}

# These take other input sizes than the one they were built for.
FULLY_CONVOLUTIONAL = frozenset(
    {
        "cbam_cnn",
        "kernel_cnn",
        "mini_xception",
        "mobilenet_v3_large",
        "se_resnet",
        "simple_resnet",
        "vgg_cnn",
    }
)

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


def count_multiply_adds(model: nn.Module, input_size: int, in_channels: int) -> int:
    """Return the multiply-adds of one picture in convolutions and matrix products."""
    # Both are heavy to import and needed for this table alone.
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    picture = torch.zeros(1, in_channels, input_size, input_size)
    with FlopCounterMode(display=False) as counter, torch.inference_mode(False):
        model.eval()(picture)
    return counter.get_total_flops() // 2
