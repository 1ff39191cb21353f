"""EfficientNet-Lite0: inverted bottlenecks without squeeze-and-excitation."""

from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.architectures.base import PooledLinearNetwork
from utils.model.architectures.layers.blocks import check_minimum

_RGB, _STEM, _HEAD = 3, 32, 1280
# TensorFlow's, which the ImageNet weights were trained with.
_EPSILON = 1e-3


class _Stage(NamedTuple):
    blocks: int
    channels: int
    kernel: int
    stride: int
    expansion: int


_STAGES = (
    _Stage(1, 16, 3, 1, 1),
    _Stage(2, 24, 3, 2, 6),
    _Stage(2, 40, 5, 2, 6),
    _Stage(3, 80, 3, 2, 6),
    _Stage(3, 112, 5, 1, 6),
    _Stage(4, 192, 5, 2, 6),
    _Stage(1, 320, 3, 1, 6),
)


class SameConv2d(nn.Conv2d):
    """A convolution without padding of its own, padded as TensorFlow does with ``SAME``.

    The output's side is the input's divided by the stride, rounded up. Where an odd number of rows
    is missing, one more is added below and on the right.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, H / stride, W / stride)``."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        rows, columns = (max(0, kernel - (side % stride or stride)) for side in x.shape[2:])
        if rows % 2 or columns % 2:
            x = F.pad(x, (0, columns % 2, 0, rows % 2))
        padding = (rows // 2, columns // 2)
        return F.conv2d(x, self.weight, None, self.stride, padding, groups=self.groups)


class InvertedBottleneck(nn.Module):
    """Expand the channels, filter each by itself, and project to few channels again.

    The input is added where the output has its shape (Sandler et al., 2018,
    https://arxiv.org/abs/1801.04381).
    """

    def __init__(self, in_channels: int, stage: _Stage, *, stride: int) -> None:
        super().__init__()
        wide = in_channels * stage.expansion
        self.expand = (
            nn.Identity() if stage.expansion == 1 else _layers(in_channels, wide, kernel_size=1)
        )
        self.depthwise = _layers(wide, wide, kernel_size=stage.kernel, stride=stride, groups=wide)
        self.project = _layers(wide, stage.channels, kernel_size=1)[:2]
        self.adds_input = stride == 1 and in_channels == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, H / stride, W / stride)``."""
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + out if self.adds_input else out


class EfficientNetLite0(PooledLinearNetwork):
    """EfficientNet-Lite0, for fine-tuning from ImageNet weights.

    The smallest of Google's EfficientNets for edge devices (Tan and Le, 2019,
    https://arxiv.org/abs/1905.11946): no squeeze-and-excitation, ReLU6 in place of Swish, so that
    it stays accurate as INT8. 3.4 M parameters. Grey images are repeated to three channels.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 32.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before the last layer.

    Raises:
        ValueError: ``input_size`` is below 32.
    """

    fully_convolutional = True

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = 112,
        in_channels: int = 1,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 32)
        self.stem = _layers(_RGB, _STEM, kernel_size=3, stride=2)
        blocks, width = [], _STEM
        for stage in _STAGES:
            for stride in (stage.stride, *[1] * (stage.blocks - 1)):
                blocks.append(InvertedBottleneck(width, stage, stride=stride))
                width = stage.channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _layers(width, _HEAD, kernel_size=1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(_HEAD, num_classes)
        self.repeat = _RGB // in_channels
        self.last_conv = "head"

    def forward_features(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to the feature map ``(N, 1280, h, w)`` before pooling."""
        out: Tensor = self.head(self.blocks(self.stem(x.repeat(1, self.repeat, 1, 1))))
        return out

    def layer_groups(self) -> list[list[nn.Module]]:
        """Return the stem, the seven stages and the last layer; the last stage has the head."""
        blocks = iter(self.blocks)
        stages: list[list[nn.Module]] = [
            [next(blocks) for _ in range(stage.blocks)] for stage in _STAGES
        ]
        stages[-1].append(self.head)
        return [[self.stem], *stages, [self.fc]]


def _layers(in_channels: int, out_channels: int, **options: Any) -> nn.Sequential:
    """Return a convolution with BatchNorm and ReLU6."""
    return nn.Sequential(
        SameConv2d(in_channels, out_channels, bias=False, **options),
        nn.BatchNorm2d(out_channels, eps=_EPSILON),
        nn.ReLU6(inplace=True),
    )
