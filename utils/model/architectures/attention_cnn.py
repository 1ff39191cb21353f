"""AttentionCNN: the baseline with spatial attention."""

from typing import Any

from utils.model.architectures.baseline_cnn import BaselineCNN
from utils.model.architectures.layers.attention import SpatialAttention


class AttentionCNN(BaselineCNN):
    """``BaselineCNN`` with a spatial attention module after each block.

    The spatial half of CBAM (Woo et al., 2018, https://arxiv.org/abs/1807.06521); it adds some
    400 parameters.

    Args:
        **args: See ``BaselineCNN``.

    Raises:
        ValueError: ``input_size`` is not a multiple of 16.
    """

    def __init__(self, **args: Any) -> None:
        super().__init__(**args, attention=lambda _: SpatialAttention())
