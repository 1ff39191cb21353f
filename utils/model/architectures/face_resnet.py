"""FaceResNet: the residual network of dlib's face recognition, with a new last layer."""

from torch import Tensor, nn
from torch.nn import functional as F

from utils.model.architectures.base import PooledLinearNetwork
from utils.model.architectures.layers.blocks import check_minimum

# Smallest input by how many of the last two stages halve the size.
_SMALLEST = (31, 55, 103)
_STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))


class FaceBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut without weights.

    A down-sampling block convolves without padding and averages the shortcut over 2x2 pixels;
    channels and pixels that one of the two lacks are zero, as in dlib.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        padding = 0 if stride == 2 else 1
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C_in, H, W)`` to ``(N, C_out, H', W')``; H' is about H / stride."""
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = F.avg_pool2d(x, 2) if self.stride == 2 else x
        height = max(out.shape[2], shortcut.shape[2])
        width = max(out.shape[3], shortcut.shape[3])
        channels = out.shape[1] - shortcut.shape[1]
        padded = _pad(shortcut, height, width, channels=channels)
        return F.relu(_pad(out, height, width) + padded)


class FaceResNet(PooledLinearNetwork):
    """Residual blocks of 32 to 256 channels, for fine-tuning from weights of face recognition.

    The ResNet-29 (He et al., 2016, https://arxiv.org/abs/1512.03385) of Davis King's
    ``dlib_face_recognition_resnet_model_v1`` (2017, CC0), trained on three million faces:
    http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html. Its affine layers are
    BatchNorm layers here. 5.6 M parameters.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 103, or 55 if one of the last strides is 1,
            or 31 if both are.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before the last layer.
        last_strides: Strides of the last two stages, 2 each in dlib's network. With 1 their feature
            maps are larger, as with larger inputs, at less cost.

    Raises:
        ValueError: ``input_size`` is too small, or ``last_strides`` is not two strides of 1 or 2.
    """

    fully_convolutional = True

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = 112,
        in_channels: int = 1,
        dropout: float = 0.2,
        last_strides: tuple[int, int] | list[int] = (2, 2),
    ) -> None:
        super().__init__()
        if len(last_strides) != 2 or not set(last_strides) <= {1, 2}:
            raise ValueError(f"last_strides must be two strides of 1 or 2, not {last_strides}")
        check_minimum(input_size, _SMALLEST[list(last_strides).count(2)])
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, 32, 7, 2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )
        blocks: list[FaceBlock] = []
        width = 32
        for (channels, count), stride in zip(_STAGES, (1, 2, 2, *last_strides), strict=True):
            blocks.append(FaceBlock(width, channels, stride))
            blocks += [FaceBlock(channels, channels, 1) for _ in range(count - 1)]
            width = channels
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(width, num_classes)
        self.last_conv = f"blocks.{len(blocks) - 1}"

    def forward_features(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to the feature map ``(N, 256, h, w)`` before pooling."""
        out: Tensor = self.blocks(self.stem(x))
        return out

    def layer_groups(self) -> list[list[nn.Module]]:
        """Return the stem, the five stages and the last layer."""
        blocks = iter(self.blocks)
        stages: list[list[nn.Module]] = [
            [next(blocks) for _ in range(count)] for _, count in _STAGES
        ]
        return [[self.stem], *stages, [self.fc]]


def _pad(x: Tensor, height: int, width: int, *, channels: int = 0) -> Tensor:
    """Return ``x`` with zeros below, on the right and as further channels."""
    missing = (0, width - x.shape[3], 0, height - x.shape[2], 0, channels)
    return F.pad(x, missing) if any(missing) else x
