"""MixUp and CutMix: training images mixed in pairs, and their targets with them."""

from torch import nn
from torchvision.transforms import v2


def build_mixing(mixup: float, cutmix: float, *, num_classes: int) -> nn.Module | None:
    """Return torchvision's MixUp and CutMix for batches with soft targets.

    MixUp after Zhang et al., 2017 (https://arxiv.org/abs/1710.09412), CutMix after Yun et al., 2019
    (https://arxiv.org/abs/1905.04899). With both, one of them is drawn for each batch.

    Args:
        mixup: Parameter of MixUp's Beta distribution; 0 is off.
        cutmix: Parameter of CutMix's Beta distribution; 0 is off.
        num_classes: Columns of the targets.

    Returns:
        A module that maps images and targets to mixed ones; None if both are off.
    """
    choices: list[nn.Module] = []
    if mixup:
        choices.append(v2.MixUp(alpha=mixup, num_classes=num_classes))
    if cutmix:
        choices.append(v2.CutMix(alpha=cutmix, num_classes=num_classes))
    return v2.RandomChoice(choices) if choices else None
