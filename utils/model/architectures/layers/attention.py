"""Channel and spatial attention.

CBAM: Woo et al., 2018, "Convolutional Block Attention Module" (https://arxiv.org/abs/1807.06521).
"""

import torch
from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """Weight each channel by a gate computed from its mean and maximum over the image."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.shared = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // reduction, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        mean, maximum = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        out: Tensor = x * (self.shared(mean) + self.shared(maximum)).sigmoid()
        return out


class SpatialAttention(nn.Module):
    """Weight each position by a map in 0..1, computed from the channels' mean and maximum.

    The output of the child ``gate``, ``(N, 1, H, W)``, is that map.
    """

    def __init__(self, kernel_size: int = 7) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to the same shape."""
        channels = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        out: Tensor = x * self.gate(channels)
        return out


class CBAM(nn.Sequential):
    """Channel attention, then spatial attention."""

    def __init__(self, channels: int) -> None:
        super().__init__(ChannelAttention(channels), SpatialAttention())
