"""One network from several: the mean of their weights."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from utils.errors import ConfigError
from utils.model.checkpoint import Checkpoint, code_revision, library_versions


def average_weights(checkpoints: Sequence[Checkpoint], shares: Sequence[float]) -> Checkpoint:
    """Average networks that were fine-tuned from one another, a "model soup".

    Wortsman et al., 2022 (https://arxiv.org/abs/2203.05482): networks that began at common weights
    and differ in data order, targets or augmentation lie in one basin, and their mean is often
    better and more robust than each, at the cost of one network.

    Args:
        checkpoints: At least two, of one architecture with the same classes, heads and
            preprocessing; the first gives the description.
        shares: A weight for each; they are scaled to a sum of 1.

    Returns:
        A checkpoint whose calibration is still the first one's.

    Raises:
        ConfigError: The checkpoints do not belong together, or the shares are impossible.
    """
    first = checkpoints[0]
    if len(checkpoints) < 2 or len(shares) != len(checkpoints):
        raise ConfigError("averaging takes at least two checkpoints and a share for each")
    if min(shares) < 0 or sum(shares) <= 0:
        raise ConfigError("shares must not be negative, and not all 0")
    for other in checkpoints[1:]:
        for name in ("model", "model_args", "classes", "preprocessing"):
            if getattr(other, name) != getattr(first, name):
                raise ConfigError(f"only networks of the same {name} can be averaged")
        if [head.name for head in other.heads] != [head.name for head in first.heads]:
            raise ConfigError("only networks with the same heads can be averaged")
    total = sum(shares)
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


def _mean(tensors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    if not tensors[0].is_floating_point():
        return tensors[0].clone()  # counters of batches
    mean = sum(share * tensor.double() for share, tensor in zip(shares, tensors, strict=True))
    assert isinstance(mean, torch.Tensor)
    return mean.to(tensors[0].dtype)
