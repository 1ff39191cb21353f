"""The architectures: one file each, chosen by name.

A new architecture is one file here and one line in ``_ARCHITECTURES``. Its class derives from
``EmotionNetwork``, which says what a network must offer; ``base.py`` also describes what a network
can offer in addition:

- ``layer_groups`` (``FineTunable``): fine-tuning by groups of layers.
- ``reshape_transform`` (``TokenNetwork``): heat maps of transformers.
- ``forward_features`` and ``fc`` (``PooledLinearNetwork``): the feature map before global average
  pooling and the one linear layer after it, which together give class activation maps.
"""

from typing import Any

from torch import nn

from utils.errors import ConfigError
from utils.model.architectures.attention_cnn import AttentionCNN
from utils.model.architectures.base import (
    EmotionNetwork,
    FineTunable,
    PooledLinearNetwork,
    TokenNetwork,
)
from utils.model.architectures.baseline_cnn import BaselineCNN
from utils.model.architectures.cbam_cnn import CBAMCNN
from utils.model.architectures.efficientnet_lite0 import EfficientNetLite0
from utils.model.architectures.emotion_cnn import EmotionCNN
from utils.model.architectures.face_resnet import FaceResNet
from utils.model.architectures.kernel_cnn import KernelCNN
from utils.model.architectures.mini_xception import MiniXception
from utils.model.architectures.mobilenet_v3_large import MobileNetV3Large
from utils.model.architectures.se_resnet import SEResNet
from utils.model.architectures.simple_resnet import SimpleResNet
from utils.model.architectures.small_vit import SmallViT
from utils.model.architectures.vgg_cnn import VGGCNN
from utils.model.architectures.vit import ViT

__all__ = [
    "EmotionCNN",
    "EmotionNetwork",
    "FineTunable",
    "PooledLinearNetwork",
    "TokenNetwork",
    "build_model",
    "count_multiply_adds",
    "count_parameters",
    "get_architecture",
    "list_models",
]

_ARCHITECTURES: dict[str, type[EmotionNetwork]] = {
    "attention_cnn": AttentionCNN,
    "baseline_cnn": BaselineCNN,
    "cbam_cnn": CBAMCNN,
    "efficientnet_lite0": EfficientNetLite0,
    "emotion_cnn": EmotionCNN,
    "face_resnet": FaceResNet,
    "kernel_cnn": KernelCNN,
    "mini_xception": MiniXception,
    "mobilenet_v3_large": MobileNetV3Large,
    "se_resnet": SEResNet,
    "simple_resnet": SimpleResNet,
    "small_vit": SmallViT,
    "vgg_cnn": VGGCNN,
    "vit": ViT,
}


def list_models() -> tuple[str, ...]:
    """Return the names that ``build_model`` accepts, in alphabetical order."""
    return tuple(sorted(_ARCHITECTURES))


def get_architecture(name: str) -> type[EmotionNetwork]:
    """Return the class of an architecture.

    Raises:
        ConfigError: The name is unknown.
    """
    if name not in _ARCHITECTURES:
        raise ConfigError(f"unknown model {name!r}; known models: {', '.join(list_models())}")
    return _ARCHITECTURES[name]


def build_model(name: str, **args: Any) -> EmotionNetwork:
    """Build an untrained model.

    Args:
        name: One of ``list_models()``.
        **args: Arguments of the architecture, such as ``num_classes``, ``input_size``,
            ``in_channels`` and ``dropout``.

    Raises:
        ConfigError: The name is unknown, or the architecture does not accept an argument.
    """
    architecture = get_architecture(name)
    try:
        return architecture(**args)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model {name} can't be built with {args}: {error}") from error


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def count_multiply_adds(model: nn.Module, input_size: int, *, in_channels: int) -> int:
    """Return the multiply-adds of convolutions and matrix products for one image."""
    # Both are slow to import and used only here.
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    image = torch.zeros(1, in_channels, input_size, input_size)
    with FlopCounterMode(display=False) as counter, torch.inference_mode(False):
        model.eval()(image)
    count: int = counter.get_total_flops() // 2
    return count
