"""CBAMCNN: fixed filters, then blocks with channel and spatial attention."""

from typing import Any

from utils.model.architectures.kernel_cnn import KernelCNN
from utils.model.architectures.layers.attention import CBAM


class CBAMCNN(KernelCNN):
    """``KernelCNN`` with CBAM (channel, then spatial attention) after each block.

    Woo et al., 2018 (https://arxiv.org/abs/1807.06521).

    Args:
        **args: See ``KernelCNN``.

    Raises:
        ValueError: ``input_size`` is below 16.
    """

    def __init__(self, **args: Any) -> None:
        super().__init__(**args, attention=CBAM)
