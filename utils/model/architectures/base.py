"""The interface of the architectures: what each must offer, and what it can offer."""

from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn


class EmotionNetwork(nn.Module):
    """A network that maps face crops to raw logits.

    A subclass takes ``num_classes``, ``input_size`` and ``in_channels`` as keywords, maps float
    ``(N, C, S, S)`` to raw logits ``(N, num_classes)``, sets ``last_conv`` and, if it can, offers
    the methods of ``FineTunable``, ``TokenNetwork`` or ``PooledLinearNetwork``.

    Attributes:
        fully_convolutional: Whether a network accepts input sizes other than the one it was built
            for.
        last_conv: Path of the module whose output Grad-CAM weights.
    """

    fully_convolutional: ClassVar[bool] = False
    last_conv: str


class PooledLinearNetwork(EmotionNetwork):
    """A network that ends in global average pooling and one linear layer.

    Its class activation maps need no gradients: weight the feature map by the rows of
    ``fc.weight`` (Zhou et al., 2016, https://arxiv.org/abs/1512.04150). The output of
    ``last_conv`` is that feature map.

    Attributes:
        dropout: Dropout between pooling and the linear layer.
        fc: The linear layer.
    """

    dropout: nn.Dropout
    fc: nn.Linear

    def forward_features(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to the feature map ``(N, D, h, w)`` before pooling."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Map float ``(N, C, S, S)`` to raw logits ``(N, num_classes)``."""
        logits: Tensor = self.fc(self.dropout(self.forward_features(x).mean((2, 3))))
        return logits


@runtime_checkable
class FineTunable(Protocol):
    """A network whose layers come in groups: unfrozen one by one, trained at different rates."""

    def layer_groups(self) -> list[list[nn.Module]]:
        """Return groups of layers from input to output; the last one is the last layer.

        Parameters of the network that are in no group count as part of the first.
        """
        ...


@runtime_checkable
class TokenNetwork(Protocol):
    """A transformer, whose layers output tokens instead of feature maps."""

    def reshape_transform(self, tokens: Tensor) -> Tensor:
        """Arrange a layer's tokens ``(N, T, D)`` as a feature map ``(N, D, h, w)``."""
        ...
