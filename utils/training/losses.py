"""Losses and accuracy against soft targets of one or more heads."""

import torch
from torch import Tensor, nn

from utils.training.config import LossConfig


class SoftTargetLoss(nn.Module):
    """Cross-entropy, focal loss or generalised cross-entropy against target distributions.

    Focal loss after Lin et al., 2017 (https://arxiv.org/abs/1708.02002), label smoothing after
    Szegedy et al., 2016 (https://arxiv.org/abs/1512.00567), generalised cross-entropy, a
    noise-robust loss, after Zhang and Sabuncu, 2018 (https://arxiv.org/abs/1805.07836).

    Args:
        num_classes: Classes K of each head.
        shares: Share of each of the H heads in the loss; they sum to 1.
        class_weights: Float ``(H * K,)`` or None.
        label_smoothing: Share of each target spread evenly over the K classes.
        focal_gamma: Exponent of the focal term; 0 is plain cross-entropy.
        noise_q: Exponent q of the generalised cross-entropy; 0 is plain cross-entropy, 1 the mean
            absolute error.
    """

    weights: Tensor | None
    shares: Tensor

    def __init__(
        self,
        num_classes: int,
        shares: tuple[float, ...] = (1.0,),
        *,
        class_weights: Tensor | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        noise_q: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.register_buffer("shares", torch.tensor(shares))
        self.register_buffer("weights", class_weights)
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma
        self.noise_q = noise_q

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of logits ``(N, H * K)`` against probabilities ``(N, H * K)``.

        The loss is the mean over the samples of the heads' losses, weighted by their shares.
        """
        smooth = self.label_smoothing
        targets = targets * (1 - smooth) + smooth / self.num_classes
        if self.weights is not None:
            targets = targets * self.weights
        targets = targets.reshape(-1, self.num_classes)
        log_p = logits.float().reshape(-1, self.num_classes).log_softmax(1)
        q = self.noise_q
        cost = (1 - (q * log_p).exp()) / q if q else -log_p
        if self.focal_gamma:
            cost = cost * (1 - log_p.exp()) ** self.focal_gamma
        return ((targets * cost).sum(1).view(-1, len(self.shares)) @ self.shares).mean()


def build_loss(
    config: LossConfig, targets: Tensor, *, num_classes: int, shares: tuple[float, ...]
) -> SoftTargetLoss:
    """Return the training loss of a configuration.

    Args:
        config: Kind of loss and its parameters.
        targets: Float ``(N, H * K)``, from which class weights are computed.
        num_classes: Classes K of each head.
        shares: Share of each of the H heads in the loss.
    """
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[config.class_weights]
    return SoftTargetLoss(
        num_classes,
        shares,
        class_weights=balanced_weights(targets, power, num_classes=num_classes) if power else None,
        label_smoothing=config.label_smoothing,
        focal_gamma=config.focal_gamma if config.kind == "focal" else 0.0,
        noise_q=config.noise_q if config.kind == "generalized" else 0.0,
    )


def balanced_weights(targets: Tensor, power: float, *, num_classes: int) -> Tensor:
    """Return ``(H * K,)`` class weights with mean 1 over the samples of each head.

    Args:
        targets: Float ``(N, H * K)``, a distribution for each head.
        power: 1 for inverse frequency, 0.5 for its square root.
        num_classes: Classes K of each head.
    """
    share = targets.mean(0).clamp(min=1e-6).reshape(-1, num_classes)
    weights = share**-power
    return (weights / (weights * share).sum(1, keepdim=True)).flatten()


def mean_accuracy(
    logits: Tensor, targets: Tensor, *, num_classes: int, shares: tuple[float, ...]
) -> float:
    """Return the accuracy against the most probable targets, averaged over the heads.

    Args:
        logits: Float ``(N, H * K)``.
        targets: Float ``(N, H * K)``, a distribution for each head.
        num_classes: Classes K of each head.
        shares: Weight of each of the H heads in the average; they sum to 1.
    """
    predicted = logits.view(len(logits), -1, num_classes).argmax(2)
    correct = predicted == targets.view(len(targets), -1, num_classes).argmax(2)
    return float((correct.float().mean(0).cpu() * torch.tensor(shares)).sum())
