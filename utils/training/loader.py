"""Training batches: shuffled, augmented, normalised, mixed."""

from collections.abc import Iterator

import torch
from torch import Tensor

from utils.processing.dataset import FaceDataset
from utils.training.augmentation import build_augmentation
from utils.training.config import TrainConfig
from utils.training.losses import build_mixing


class BatchLoader:
    """Makes the batches of an epoch from a split; the last incomplete one is left out.

    Args:
        config: Batch size, augmentation, mixing and progressive sizes.
        train: Training images.
        targets: float32 ``(N, H * K)``.
        device: Where the batches are wanted.
    """

    def __init__(
        self, config: TrainConfig, train: FaceDataset, targets: Tensor, device: torch.device
    ) -> None:
        self._config, self._train, self._targets, self._device = config, train, targets, device
        self._augment = build_augmentation(config.augmentation)
        self._mixing = build_mixing(config.mixup, config.cutmix, targets.shape[1])

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images float32 ``(B, C, S, S)`` and targets ``(B, H * K)`` of an epoch from 1.

        All randomness comes from torch's global generator.
        """
        size = self._config.batch_size
        small = number <= self._config.progressive_epochs
        side = self._config.progressive_size if small else None
        order = torch.randperm(len(self._train))
        for chosen in order[: len(order) // size * size].split(size):
            images = self._train.batch(chosen).to(self._device).float() / 255
            targets = self._targets[chosen].to(self._device)
            images = self._normalize(self._augment(images, side))
            yield self._mixing(images, targets) if self._mixing else (images, targets)

    def _normalize(self, images: Tensor) -> Tensor:
        spec = self._train.preprocessing
        mean = torch.tensor(spec.mean, device=self._device).view(1, -1, 1, 1)
        std = torch.tensor(spec.std, device=self._device).view(1, -1, 1, 1)
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)
