"""Losses on soft targets, and the mixing of images."""

from torch import Tensor, nn
from torchvision.transforms import v2


class SoftTargetLoss(nn.Module):
    """Cross-entropy or focal loss against target distributions.

    Focal loss after Lin et al., 2017 (https://arxiv.org/abs/1708.02002), label smoothing after
    Szegedy et al., 2016 (https://arxiv.org/abs/1512.00567).

    Args:
        class_weights: Float ``(K,)`` or None.
        label_smoothing: Share of each target spread evenly over the K classes.
        focal_gamma: Exponent of the focal term; 0 is plain cross-entropy.
    """

    weights: Tensor | None

    def __init__(
        self,
        class_weights: Tensor | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weights", class_weights)
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits ``(N, K)`` against probabilities ``(N, K)``."""
        smooth = self.label_smoothing
        targets = targets * (1 - smooth) + smooth / targets.shape[1]
        if self.weights is not None:
            targets = targets * self.weights
        log_p = logits.float().log_softmax(1)
        focus = (1 - log_p.exp()) ** self.focal_gamma if self.focal_gamma else 1.0
        return -(targets * focus * log_p).sum(1).mean()


def build_mixing(mixup: float, cutmix: float, num_classes: int) -> nn.Module | None:
    """Return torchvision's MixUp and/or CutMix for batches with soft targets; None if both are 0.

    With both, one of them is drawn for each batch.
    """
    choices: list[nn.Module] = []
    if mixup:
        choices.append(v2.MixUp(alpha=mixup, num_classes=num_classes))
    if cutmix:
        choices.append(v2.CutMix(alpha=cutmix, num_classes=num_classes))
    return v2.RandomChoice(choices) if choices else None


def balanced_weights(targets: Tensor, power: float) -> Tensor:
    """Return ``(K,)`` class weights with mean 1 over the samples.

    Args:
        targets: Float ``(N, K)`` target distributions.
        power: 1 for inverse frequency, 0.5 for its square root.
    """
    share = targets.mean(0).clamp(min=1e-6)
    weights = share**-power
    return weights / (weights * share).sum()


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """Return the share of rows whose largest logit is the largest target."""
    return (logits.argmax(1) == targets.argmax(1)).float().mean().item()
