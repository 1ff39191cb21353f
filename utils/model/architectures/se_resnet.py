"""A compact residual network with squeeze-and-excitation for 48x48 faces.

Residual blocks after He et al., 2016 (https://arxiv.org/abs/1512.03385), squeeze-and-excitation
after Hu et al., 2018 (https://arxiv.org/abs/1709.01507), the pooled shortcut and the
zero-initialised last BatchNorm after He et al., 2019 (https://arxiv.org/abs/1812.01187).
"""

from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.architectures.base import PooledLinearNetwork
from utils.model.architectures.layers.blocks import check_minimum


class SqueezeExcitation(nn.Module):
    """Weight each channel by a gate computed from the means of all channels."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // reduction, 1)
        self.expand = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        gate = F.relu(self.reduce(x.mean((2, 3), keepdim=True)))
        out: Tensor = x * self.expand(gate).sigmoid()
        return out


class SEBlock(nn.Module):
    """Two 3x3 convolutions with a gate and a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        nn.init.zeros_(self.bn2.weight)
        self.gate = SqueezeExcitation(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, ceil(H/stride), ceil(W/stride))``."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.gate(self.bn2(self.conv2(out)))
        return F.relu(out + self.shortcut(x))


class SEResNet(PooledLinearNetwork):
    """A stem at full resolution, stages that each halve it, global average pooling, one layer.

    The default, 2.8 M parameters and some 225 M multiply-adds at 48x48, is the
    bundled network.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input, at least 16. The layers do not depend on it; it
            records what the weights were trained on.
        in_channels: 1 for grey, 3 for RGB.
        stem: Channels of the stem.
        channels: Channels of each stage.
        blocks: Residual blocks per stage.
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
        stem: int = 32,
        channels: tuple[int, ...] = (64, 128, 256),
        blocks: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 16)
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, stem, 3, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        width = stem
        for out_channels in channels:
            for i in range(blocks):
                stages.append(SEBlock(width, out_channels, stride=2 if i == 0 else 1))
                width = out_channels
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(width, num_classes)
        self.last_conv = f"stages.{len(stages) - 1}"

    def forward_features(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to the feature map ``(N, D, h, w)`` before pooling."""
        out: Tensor = self.stages(self.stem(x))
        return out
