"""torchvision's ViT-B/16 with a new last layer."""

from typing import Any

from torch import Tensor, nn

from utils.model.architectures.base import EmotionNetwork
from utils.model.architectures.layers.blocks import check_multiple
from utils.model.architectures.layers.pretrained import with_weights

_PATCH = 16
_PRETRAINED_SIZE = 224


class ViT(EmotionNetwork):
    """torchvision's ViT-B/16, for fine-tuning its last blocks from ImageNet weights.

    Dosovitskiy et al., 2020 (https://arxiv.org/abs/2010.11929). Grey images are repeated to three
    channels.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; a multiple of 16, 224 with ImageNet weights.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout within the blocks.
        pretrained: Start from torchvision's ImageNet weights, which are downloaded once.
        depth: Transformer blocks; 12 with ImageNet weights.

    Raises:
        ConfigError: The weights can't be downloaded.
        ValueError: ``input_size`` or ``depth`` does not fit.
    """

    def __init__(
        self,
        *,
        num_classes: int = 7,
        input_size: int = _PRETRAINED_SIZE,
        in_channels: int = 1,
        dropout: float = 0.0,
        pretrained: bool = False,
        depth: int = 12,
    ) -> None:
        super().__init__()
        check_multiple(input_size, _PATCH)
        if pretrained and (input_size, depth) != (_PRETRAINED_SIZE, 12):
            raise ValueError("the ImageNet weights need input_size 224 and depth 12")
        # torchvision takes a second to import, and the other architectures do without it.
        from torchvision.models import VisionTransformer, vit_b_16

        self.network: Any
        if pretrained:
            self.network = with_weights(vit_b_16, pretrained=True, dropout=dropout)
        else:
            self.network = VisionTransformer(
                input_size, _PATCH, depth, num_heads=12, hidden_dim=768, mlp_dim=3072,
                dropout=dropout,
            )  # fmt: skip
        self.network.heads = nn.Linear(768, num_classes)
        self.repeat = 3 // in_channels
        self.side = input_size // _PATCH
        self.last_conv = f"network.encoder.layers.encoder_layer_{depth - 1}.ln_1"

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.network(x.repeat(1, self.repeat, 1, 1))
        return logits

    def reshape_transform(self, tokens: Tensor) -> Tensor:
        """Arrange a layer's tokens ``(N, 1 + T, D)`` as a feature map ``(N, D, side, side)``."""
        out: Tensor = tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, self.side, self.side)
        return out

    def layer_groups(self) -> list[list[nn.Module]]:
        """Return the transformer blocks and the last layer, each a group."""
        encoder = self.network.encoder
        groups: list[list[nn.Module]] = [[layer] for layer in encoder.layers]
        groups[-1].append(encoder.ln)
        return [*groups, [self.network.heads]]
