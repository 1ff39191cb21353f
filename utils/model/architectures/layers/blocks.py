"""Building blocks that several architectures share."""

from collections.abc import Callable

from torch import Tensor, nn


def conv_bn_relu(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution with BatchNorm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def conv_stages(
    in_channels: int,
    channels: tuple[int, ...],
    *,
    convs: int | tuple[int, ...] = 2,
    attention: Callable[[int], nn.Module] | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return stages of 3x3 convolutions that each end in a 2x2 max-pool.

    Args:
        in_channels: Channels of the input.
        channels: Channels of each stage.
        convs: Convolutions per stage, one number for all stages or one for each.
        attention: Builds a module for a number of channels; it follows each max-pool.
        dropout: Dropout of whole channels at the end of each stage.
    """
    stages: list[nn.Module] = []
    counts = (convs,) * len(channels) if isinstance(convs, int) else convs
    for width, count in zip(channels, counts, strict=True):
        layers: list[nn.Module] = []
        for _ in range(count):
            layers.append(conv_bn_relu(in_channels, width))
            in_channels = width
        layers.append(nn.MaxPool2d(2))
        if attention:
            layers.append(attention(width))
        layers.append(nn.Dropout2d(dropout))
        stages.append(nn.Sequential(*layers))
    return nn.Sequential(*stages)


class GlobalAveragePool(nn.Module):
    """The mean over all positions."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C)``."""
        return x.mean((2, 3))


def check_multiple(input_size: int, factor: int) -> None:
    """Check that an input size is a positive multiple of a factor.

    Raises:
        ValueError: The input size is not a multiple.
    """
    if input_size < factor or input_size % factor:
        raise ValueError(f"input_size must be a multiple of {factor}, not {input_size}")


def check_minimum(input_size: int, minimum: int) -> None:
    """Check that an input size is not below a minimum.

    Raises:
        ValueError: The input size is too small.
    """
    if input_size < minimum:
        raise ValueError(f"input_size must be at least {minimum}, not {input_size}")
