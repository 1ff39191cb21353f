"""EmotionCNN: three convolution blocks and two fully connected layers."""

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import check_multiple


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )


class EmotionCNN(EmotionNetwork):
    """The classic small emotion network.

    Three blocks of 3x3 convolution, BatchNorm, ReLU and 2x2 max-pool with 32, 64 and 128 channels,
    then a fully connected layer of 128 and the classes. With 224x224 input the flattened features
    are 128 x 28 x 28 = 100,352; ``input_size=48`` makes it fast.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; a multiple of 8.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before the last layer.

    Raises:
        ValueError: ``input_size`` is not a multiple of 8.
    """

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = 224,
        in_channels: int = 1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_multiple(input_size, 8)
        self.features = nn.Sequential(_block(in_channels, 32), _block(32, 64), _block(64, 128))
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(128 * (input_size // 8) ** 2, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(128, num_classes),
        )
        self.last_conv = "features.2.0"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
