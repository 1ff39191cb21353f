"""KernelCNN: learned layers on top of fixed filters."""

from collections.abc import Callable

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import GlobalAveragePool, check_minimum, conv_stages
from utils.model.architectures.layers.face_kernels import FaceKernels


class KernelCNN(EmotionNetwork):
    """Fixed filters for eyes, nose, mouth and jaw, then learned blocks of 64, 128 and 256 channels.

    The filters (``layers/face_kernels.py``) are edges, bars, blobs and arcs that are never
    trained. Two convolutions per block, global average pooling, a fully connected layer of 256.
    1.2 M parameters and 101 M multiply-adds at 48x48.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 16.
        in_channels: 1 for grey, 3 for RGB, whose channels are averaged.
        dropout: Dropout before the last layer; a third of it after each block.
        attention: Builds an attention module for a number of channels; it follows each max-pool.

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
        attention: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 16)
        self.kernels = FaceKernels()
        self.pool = nn.MaxPool2d(2)
        self.features = conv_stages(
            self.kernels.channels, (64, 128, 256), attention=attention, dropout=dropout / 3
        )
        self.classifier = nn.Sequential(
            GlobalAveragePool(),
            nn.Linear(256, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(256, num_classes),
        )
        self.last_conv = "features.2.1.0"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.classifier(self.features(self.pool(self.kernels(x))))
        return logits
