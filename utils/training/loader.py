"""Training batches: shuffled, augmented, normalised, mixed."""

from collections.abc import Iterator

import torch
from torch import Tensor

from utils.processing.dataset import FaceDataset
from utils.training.augmentation import build_augmentation, build_mixing
from utils.training.config import AugmentationConfig


class BatchLoader:
    """Makes the batches of an epoch from a split; an incomplete last batch is dropped.

    Args:
        dataset: Training images.
        targets: float32 ``(N, H * K)``.
        augmentation: Random changes, mixing and progressive sizes.
        batch_size: Images per batch B.
        device: Device of the batches.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        targets: Tensor,
        *,
        augmentation: AugmentationConfig,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._dataset, self._targets, self._device = dataset, targets, device
        self._config, self._batch_size = augmentation, batch_size
        self._augment = build_augmentation(augmentation.preset)
        self._mix = build_mixing(
            augmentation.mixup, augmentation.cutmix, num_classes=targets.shape[1]
        )

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self._dataset) // self._batch_size

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch: images and targets.

        All randomness comes from torch's global generator.

        Args:
            number: Number of the epoch, counted from 1.

        Yields:
            Normalised float32 ``(B, C, S, S)`` and float32 ``(B, H * K)``.
        """
        small = number <= self._config.progressive_epochs
        size = self._config.progressive_size if small else None
        order = torch.randperm(len(self._dataset))
        for indices in torch.split(order[: len(self) * self._batch_size], self._batch_size):
            pixels = torch.from_numpy(self._dataset.batch(indices.numpy()))
            images = pixels.to(self._device).float() / 255
            images = self._normalize(self._augment(images, size))
            targets = self._targets[indices].to(self._device)
            yield self._mix(images, targets) if self._mix else (images, targets)

    def _normalize(self, images: Tensor) -> Tensor:
        preprocessing = self._dataset.preprocessing
        mean = torch.tensor(preprocessing.mean, device=self._device).view(1, -1, 1, 1)
        std = torch.tensor(preprocessing.std, device=self._device).view(1, -1, 1, 1)
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)
