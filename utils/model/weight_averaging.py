"""Weight averaging: one network as the mean of several."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from utils.errors import ConfigError
from utils.model.checkpoint import Checkpoint, code_revision, library_versions


def average_weights(checkpoints: Sequence[Checkpoint], shares: Sequence[float]) -> Checkpoint:
    """Average networks that were fine-tuned from one another, a "model soup".

    Wortsman et al., 2022 (https://arxiv.org/abs/2203.05482): networks fine-tuned from common
    weights with different data order, targets or augmentation lie in one basin of the loss, and
    their mean is often more accurate and more robust than each of them, at the cost of one network.

    Args:
        checkpoints: At least two, of one architecture with the same classes, heads and
            preprocessing; everything but the weights is taken from the first.
        shares: A share for each; they are scaled to a sum of 1.

    Returns:
        A checkpoint without metrics, and with the calibration of the first, which does not fit it.

    Raises:
        ConfigError: The checkpoints do not belong together, or the shares are impossible.
    """
    _check(checkpoints, shares)
    first, total = checkpoints[0], sum(shares)
    state = {
        key: _mean([c.state_dict[key] for c in checkpoints], [s / total for s in shares])
        for key in first.state_dict
    }
    parts = [
        {"share": share / total, "revision": c.revision, "training": c.training}
        for share, c in zip(shares, checkpoints, strict=True)
    ]
    return replace(
        first,
        state_dict=state,
        training=first.training | {"soup": parts},
        metrics={},
        versions=library_versions(),
        revision=code_revision(),
    )


def _check(checkpoints: Sequence[Checkpoint], shares: Sequence[float]) -> None:
    """Raise a ``ConfigError`` if checkpoints can't be averaged with these shares."""
    if len(checkpoints) < 2 or len(shares) != len(checkpoints):
        raise ConfigError("averaging takes at least two checkpoints and a share for each")
    if min(shares) < 0 or sum(shares) <= 0:
        raise ConfigError("shares must not be negative, and not all 0")
    first = checkpoints[0]
    for other in checkpoints[1:]:
        for name in ("model", "model_args", "classes", "preprocessing"):
            if getattr(other, name) != getattr(first, name):
                raise ConfigError(f"only networks of the same {name} can be averaged")
        if [head.name for head in other.heads] != [head.name for head in first.heads]:
            raise ConfigError("only networks with the same heads can be averaged")


def _mean(tensors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    if not tensors[0].is_floating_point():
        return tensors[0].clone()  # counters of batches, which have no mean
    mean = sum(share * tensor.double() for share, tensor in zip(shares, tensors, strict=True))
    assert isinstance(mean, torch.Tensor)
    return mean.to(tensors[0].dtype)
