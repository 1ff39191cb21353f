"""Mini-Xception: separable convolutions with shortcuts."""

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import (
    GlobalAveragePool,
    check_minimum,
    conv_bn_relu,
)


def _separable(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class SeparableBlock(nn.Module):
    """Two separable convolutions and a stride-2 max-pool, with a 1x1 stride-2 shortcut."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _separable(in_channels, out_channels),
            nn.ReLU(inplace=True),
            _separable(out_channels, out_channels),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride=2, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, ceil(H/2), ceil(W/2))``."""
        out: Tensor = (self.body(x) + self.shortcut(x)).relu()
        return out


class MiniXception(EmotionNetwork):
    """An entry flow of 32 and 64 channels, three residual blocks of 128, 256 and 512.

    After Arriaga et al., 2017 (https://arxiv.org/abs/1710.07557) and Chollet, 2017
    (https://arxiv.org/abs/1610.02357). Global average pooling, fully connected layers of 256
    (dropout 0.5) and 128 (dropout 0.3). 0.9 M parameters and 59 M multiply-adds at 48x48.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 16.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout after the layer of 256; three fifths of it after the layer of 128.

    Raises:
        ValueError: ``input_size`` is below 16.
    """

    fully_convolutional = True

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = 48,
        in_channels: int = 1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 16)
        self.entry = nn.Sequential(conv_bn_relu(in_channels, 32), conv_bn_relu(32, 64, stride=2))
        self.blocks = nn.Sequential(
            SeparableBlock(64, 128), SeparableBlock(128, 256), SeparableBlock(256, 512)
        )
        self.classifier = nn.Sequential(
            GlobalAveragePool(),
            nn.Linear(512, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(256, 128),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout * 0.6),
            nn.Linear(128, num_classes),
        )
        self.last_conv = "blocks.2"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.classifier(self.blocks(self.entry(x)))
        return logits
