"""What each head of a network learns: folder names, FER+ votes and predictions of teachers."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from utils.errors import ConfigError
from utils.evaluation.predict import predict_logits
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.spec import Head, HeadRole
from utils.processing.dataset import FaceDataset
from utils.training.config import TargetConfig


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
    teachers = [_load_teacher(path, dataset) for path in config.distill]
    predictions = [_predict(teacher, dataset, device) for teacher in teachers]
    blended = []
    columns = torch.split(targets, len(dataset.classes), 1)
    for head, labels in zip(build_heads(config), columns, strict=True):
        soft = [by_head[head.name] for by_head in predictions if head.name in by_head]
        if soft:
            mean = torch.stack(soft).mean(0)
            labels = labels * (1 - config.distill_weight) + mean * config.distill_weight
        blended.append(labels)
    return torch.cat(blended, 1)


def _load_teacher(path: Path, dataset: FaceDataset) -> Checkpoint:
    teacher = load_checkpoint(path)
    if teacher.classes != dataset.classes:
        raise ConfigError(
            f"{path}: the teacher has classes {teacher.classes}, the data {dataset.classes}"
        )
    return teacher


def _predict(teacher: Checkpoint, dataset: FaceDataset, device: torch.device) -> dict[str, Tensor]:
    """Return float32 probabilities ``(N, K)`` by the name of the teacher's head."""
    network = teacher.build().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    seen = dataset.with_preprocessing(teacher.preprocessing)
    logits = predict_logits(network, seen, device=device, average="flip").numpy()
    return {
        head.name: torch.from_numpy(head.probabilities(logits[:, teacher.head_columns(head)]))
        for head in teacher.heads
    }
