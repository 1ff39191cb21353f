"""VGG-like: stacked 3x3 convolutions and global average pooling."""

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import GlobalAveragePool, check_minimum, conv_stages


class VGGCNN(EmotionNetwork):
    """Stages of 64, 128, 256 and 512 channels, global average pooling, two linear layers.

    After Simonyan and Zisserman, 2014 (https://arxiv.org/abs/1409.1556), with BatchNorm and
    global average pooling (Lin et al., 2013, https://arxiv.org/abs/1312.4400) instead of the large
    fully connected layers. 5.3 M parameters and 299 M multiply-adds at 48x48.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 16.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before each fully connected layer; half of it after each stage.

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
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 16)
        self.features = conv_stages(
            in_channels, (64, 128, 256, 512), convs=(1, 1, 2, 2), dropout=dropout / 3
        )
        self.classifier = nn.Sequential(
            GlobalAveragePool(),
            nn.Dropout(dropout),
            nn.Linear(512, 1536, bias=False),
            nn.BatchNorm1d(1536),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(1536, num_classes),
        )
        self.last_conv = "features.3.1.0"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
