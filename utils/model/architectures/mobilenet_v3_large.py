"""torchvision's MobileNetV3-Large with a new last layer."""

from typing import Any

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import check_minimum
from utils.model.architectures.layers.pretrained import with_weights

_GROUPS = ((0, 4), (4, 7), (7, 11), (11, 13), (13, 17))


class MobileNetV3Large(EmotionNetwork):
    """torchvision's MobileNetV3-Large, for fine-tuning from ImageNet weights.

    Howard et al., 2019 (https://arxiv.org/abs/1905.02244). Grey images are repeated to three
    channels.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; at least 32.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout before the last layer.
        pretrained: Start from torchvision's ImageNet weights, which are downloaded once.

    Raises:
        ConfigError: The weights can't be downloaded.
        ValueError: ``input_size`` is below 32.
    """

    fully_convolutional = True

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = 96,
        in_channels: int = 1,
        dropout: float = 0.2,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        check_minimum(input_size, 32)
        # torchvision takes a second to import, and the other architectures do without it.
        from torchvision.models import mobilenet_v3_large

        network: Any = with_weights(mobilenet_v3_large, pretrained=pretrained, dropout=dropout)
        self.features: nn.Sequential = network.features
        self.classifier: nn.Sequential = network.classifier
        self.classifier[-1] = nn.Linear(network.classifier[-1].in_features, num_classes)
        self.repeat = 3 // in_channels
        self.last_conv = "features.16"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        features = self.features(x.repeat(1, self.repeat, 1, 1))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits

    def layer_groups(self) -> list[list[nn.Module]]:
        """Return five groups of layers and the classifier."""
        groups = [list(self.features[first:last]) for first, last in _GROUPS]
        return [*groups, [self.classifier]]
