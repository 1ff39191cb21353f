"""What each head of a network learns: folder names, FER+ votes and predictions of teachers."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from utils.errors import ConfigError
from utils.model.spec import Head, HeadRole
from utils.processing.dataset import FaceDataset
from utils.processing.face_images import FaceImages
from utils.training.config import TargetConfig
from utils.training.teachers import mean_predictions


def build_heads(config: TargetConfig) -> tuple[Head, ...]:
    """Return the heads of a configuration, not yet calibrated."""
    votes = config.ferplus_weight
    if not votes:
        return (Head(HeadRole.LABELS.value, "folder names"),)
    label_set = "FER+ crowd votes"
    if votes < 1:
        label_set = f"{votes:.0%} FER+ crowd votes, {1 - votes:.0%} folder names"
    perceived = Head(HeadRole.PERCEIVED.value, label_set)
    if not config.benchmark_head:
        return (perceived,)
    return (perceived, Head(HeadRole.FER2013.value, "folder names"))


def with_priors(heads: tuple[Head, ...], targets: Tensor) -> tuple[Head, ...]:
    """Return heads that know the mean of their targets.

    Args:
        heads: The H heads.
        targets: float32 ``(N, H * K)``, of labelled images alone.
    """
    return tuple(
        replace(head, prior=tuple(round(p, 5) for p in prior.tolist()))
        for head, prior in zip(heads, targets.mean(0).chunk(len(heads)), strict=True)
    )


def head_shares(config: TargetConfig) -> tuple[float, ...]:
    """Return the share of each head in the loss and in the validation accuracy."""
    share = config.benchmark_share
    return (1 - share, share) if config.benchmark_head else (1.0,)


def label_targets(config: TargetConfig, dataset: FaceDataset) -> Tensor:
    """Return float32 targets ``(N, H * K)`` from folder names and FER+ votes.

    Raises:
        DataError: The configuration needs FER+ votes and the dataset has none.
    """
    targets = [dataset.targets(config.ferplus_weight)]
    if config.benchmark_head:
        targets.append(dataset.targets(0.0))
    return torch.from_numpy(np.concatenate(targets, 1))


def distilled_targets(
    config: TargetConfig, dataset: FaceDataset, *, targets: Tensor, device: torch.device
) -> Tensor:
    """Blend targets with the mean prediction of the configuration's teachers.

    Knowledge distillation after Hinton et al., 2015 (https://arxiv.org/abs/1503.02531), with each
    teacher's calibrated probabilities averaged over the image and its mirror image. A head that no
    teacher has keeps its targets.

    Args:
        config: The teachers and their share.
        dataset: The images.
        targets: float32 ``(N, H * K)``.
        device: Where the teachers run.

    Returns:
        float32 ``(N, H * K)``.

    Raises:
        CheckpointError: A teacher can't be read.
        ConfigError: A teacher has other classes.
    """
    if not config.distill:
        return targets
    predictions = mean_predictions(config.distill, dataset, classes=dataset.classes, device=device)
    blended = []
    columns = torch.split(targets, len(dataset.classes), 1)
    for head, labels in zip(build_heads(config), columns, strict=True):
        soft = predictions.get(head.name)
        if soft is None:
            blended.append(labels)
        else:
            blended.append(torch.lerp(labels, soft, config.distill_weight))
    return torch.cat(blended, 1)


def unlabelled_targets(
    config: TargetConfig, images: FaceImages, *, classes: tuple[str, ...], device: torch.device
) -> Tensor:
    """Return the mean prediction of the configuration's teachers for images without labels.

    Args:
        config: The teachers.
        images: The M images.
        classes: The K classes of the labelled images.
        device: Where the teachers run.

    Returns:
        float32 ``(M, H * K)``.

    Raises:
        CheckpointError: A teacher can't be read.
        ConfigError: A teacher has other classes, or no teacher has one of the heads.
        DataError: An image can't be read.
    """
    predictions = mean_predictions(config.distill, images, classes=classes, device=device)
    names = [head.name for head in build_heads(config)]
    if missing := [name for name in names if name not in predictions]:
        raise ConfigError(
            f"unlabelled: the images have no targets for the head {missing[0]!r}, as no teacher "
            "has it; add one to distill that does"
        )
    return torch.cat([predictions[name] for name in names], 1)
