"""ViT-B/16 of torchvision with a new head."""

from typing import Any

from torch import Tensor, nn

from utils.model.architectures.layers.pretrained import train_last_groups, with_weights

_PATCH = 16
_PRETRAINED_SIZE = 224


class ViT(nn.Module):
    """torchvision's ViT-B/16, whose last blocks are fine-tuned from its ImageNet weights.

    Dosovitskiy et al., 2020 (https://arxiv.org/abs/2010.11929). Grey pictures are repeated to three
    channels.

    Args:
        num_classes: Number of classes.
        input_size: Side S of the square input; a multiple of 16, and 224 for ImageNet weights.
        in_channels: 1 for grey, 3 for RGB.
        dropout: Dropout within the blocks.
        pretrained: Begin with torchvision's ImageNet weights, downloaded once.
        depth: Transformer blocks; 12 for ImageNet weights.

    Raises:
        ConfigError: The weights can't be downloaded.
        ValueError: ``input_size`` or ``depth`` does not fit.
    """

    def __init__(
        self,
        num_classes: int = 7,
        input_size: int = _PRETRAINED_SIZE,
        in_channels: int = 1,
        dropout: float = 0.0,
        pretrained: bool = False,
        depth: int = 12,
    ) -> None:
        super().__init__()
        if input_size < _PATCH or input_size % _PATCH:
            raise ValueError(f"input_size must be a multiple of {_PATCH}, not {input_size}")
        if pretrained and (input_size, depth) != (_PRETRAINED_SIZE, 12):
            raise ValueError("the ImageNet weights are for input_size 224 and depth 12")
        # Imported here because it takes a second that no other architecture needs.
        from torchvision.models import VisionTransformer, vit_b_16

        self.network: Any
        if pretrained:
            self.network = with_weights(vit_b_16, True, dropout=dropout)
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
        return self.network(x.repeat(1, self.repeat, 1, 1))

    def reshape_transform(self, tokens: Tensor) -> Tensor:
        """Turn a layer's tokens ``(N, 1 + T, D)`` into a map ``(N, D, side, side)``."""
        return tokens[:, 1:].transpose(1, 2).unflatten(2, (self.side, self.side))

    def freeze_backbone(self, trainable_groups: int) -> None:
        """Let only the head and the last transformer blocks train; each block is a group."""
        encoder = self.network.encoder
        groups = [[layer] for layer in encoder.layers]
        groups[-1].append(encoder.ln)
        train_last_groups(self, groups, self.network.heads, trainable_groups)
