"""SimpleResNet: a small plain residual network."""

from torch import Tensor, nn

from utils.model.architectures.base import PooledLinearNetwork
from utils.model.architectures.layers.blocks import check_minimum, conv_bn_relu


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn_relu(in_channels, out_channels, stride),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, ceil(H/stride), ceil(W/stride))``."""
        out: Tensor = (self.body(x) + self.shortcut(x)).relu()
        return out


class SimpleResNet(PooledLinearNetwork):
    """A stem of 32 channels, then stages of 32, 64 and 128 channels that each halve the size.

    Two residual blocks per stage (He et al., 2016, https://arxiv.org/abs/1512.03385), global
    average pooling and one linear layer. 0.7 M parameters and 60 M multiply-adds at 48x48.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 16.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before the last layer.

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
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 16)
        self.stem = conv_bn_relu(in_channels, 32)
        blocks, width = [], 32
        for channels in (32, 64, 128):
            blocks += [BasicBlock(width, channels, 2), BasicBlock(channels, channels, 1)]
            width = channels
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(width, num_classes)
        self.last_conv = "blocks.5"

    def forward_features(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to the feature map ``(N, 128, h, w)`` before pooling."""
        out: Tensor = self.blocks(self.stem(x))
        return out
