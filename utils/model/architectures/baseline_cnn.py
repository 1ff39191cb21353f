"""BaselineCNN: four convolution blocks and two fully connected layers."""

from collections.abc import Callable

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import check_multiple, conv_stages


class BaselineCNN(EmotionNetwork):
    """The network that most FER2013 projects start from.

    Four blocks of two 3x3 convolutions with BatchNorm and ReLU, 2x2 max-pool and dropout, with 32,
    64, 128 and 256 channels, then a fully connected layer of 1024 and the classes: 3.5 M
    parameters and 120 M multiply-adds at 48x48. BatchNorm: Ioffe and Szegedy, 2015
    (https://arxiv.org/abs/1502.03167).

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; a multiple of 16.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before each fully connected layer; half of it after each block.
        attention: Builds an attention module for a number of channels; it follows each max-pool.

    Raises:
        ValueError: ``input_size`` is not a multiple of 16.
    """

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = 48,
        in_channels: int = 1,
        dropout: float = 0.3,
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_multiple(input_size, 16)
        channels = (32, 64, 128, 256)
        self.features = conv_stages(in_channels, channels, attention=attention, dropout=dropout / 2)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(channels[-1] * (input_size // 16) ** 2, 1024, bias=False),
            nn.BatchNorm1d(1024),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(1024, num_classes),
        )
        self.last_conv = "features.3.1.0"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
