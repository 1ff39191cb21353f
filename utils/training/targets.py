"""What each head of a network learns: labels, votes, and the answers of other networks."""

from pathlib import Path

import torch
from torch import Tensor

from utils.errors import ConfigError
from utils.evaluation.predict import predict_logits
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.spec import Head, HeadRole
from utils.processing.dataset import FaceDataset
from utils.training.config import TrainConfig


def build_heads(config: TrainConfig) -> tuple[Head, ...]:
    """Return the heads that a configuration asks for, not yet calibrated."""
    votes = config.ferplus_weight
    if not votes:
        return (Head(HeadRole.LABELS.value, "folder names"),)
    words = "FER+ crowd votes"
    if votes < 1:
        words = f"{votes:.0%} FER+ crowd votes, {1 - votes:.0%} folder names"
    first = Head(HeadRole.PERCEIVED.value, words)
    if not config.benchmark_head:
        return (first,)
    return (first, Head(HeadRole.FER2013.value, "folder names"))


def label_targets(config: TrainConfig, folder: FaceDataset) -> Tensor:
    """Return float32 targets ``(N, H * K)`` from folder names and FER+ votes.

    Raises:
        DataError: FER+ votes are asked for but missing.
    """
    targets = [folder.targets(config.ferplus_weight)]
    if config.benchmark_head:
        targets.append(folder.targets(0.0))
    return torch.cat(targets, 1)


def distilled_targets(
    config: TrainConfig, folder: FaceDataset, targets: Tensor, device: torch.device
) -> Tensor:
    """Blend targets ``(N, H * K)`` with the averaged answers of the teachers in the configuration.

    Knowledge distillation after Hinton et al., 2015 (https://arxiv.org/abs/1503.02531), with each
    teacher's calibrated probabilities for the image and its mirror image together. Where no
    teacher has a head of a name, that head's targets stay as they are.

    Raises:
        CheckpointError: A teacher can't be read.
        ConfigError: A teacher has other classes.
    """
    if not config.distill:
        return targets
    teachers = [_load_teacher(path, folder) for path in config.distill]
    answers = [_answers(teacher, folder, device) for teacher in teachers]
    blended = []
    for head, own in zip(build_heads(config), targets.split(len(folder.classes), 1), strict=True):
        given = [each[head.name] for each in answers if head.name in each]
        if given:
            mean = torch.stack(given).mean(0)
            own = own * (1 - config.distill_weight) + mean * config.distill_weight
        blended.append(own)
    return torch.cat(blended, 1)


def _load_teacher(path: Path, folder: FaceDataset) -> Checkpoint:
    teacher = load_checkpoint(path)
    if teacher.classes != folder.classes:
        raise ConfigError(f"{path}: has classes {teacher.classes}, the data {folder.classes}")
    return teacher


def _answers(teacher: Checkpoint, folder: FaceDataset, device: torch.device) -> dict[str, Tensor]:
    """Return float32 probabilities ``(N, K)`` by the name of the teacher's head."""
    network = teacher.build().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    seen = folder.with_preprocessing(teacher.preprocessing)
    logits = predict_logits(network, seen, device=device, average="flip").numpy()
    return {
        head.name: torch.from_numpy(head.probabilities(logits[:, teacher.head_columns(head)]))
        for head in teacher.heads
    }
