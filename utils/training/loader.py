"""Training batches: shuffled, augmented, normalised, mixed."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from utils.processing.face_images import FaceImages
from utils.training.augmentation import build_augmentation, build_mixing
from utils.training.config import AugmentationConfig


class BatchLoader:
    """Makes the batches of an epoch; an incomplete last batch is dropped.

    Args:
        images: Sets of training images of one preprocessing, with N images in all.
        targets: float32 ``(N, H * K)``, in the order of the sets.
        augmentation: Random changes, mixing and progressive sizes.
        batch_size: Images per batch B.
        device: Device of the batches.
    """

    def __init__(
        self,
        images: Sequence[FaceImages],
        targets: Tensor,
        *,
        augmentation: AugmentationConfig,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._images, self._targets, self._device = images, targets, device
        self._config, self._batch_size = augmentation, batch_size
        self._augment = build_augmentation(augmentation.preset)
        self._mix = build_mixing(
            augmentation.mixup, augmentation.cutmix, num_classes=targets.shape[1]
        )

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self._targets) // self._batch_size

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
        order = torch.randperm(len(self._targets))
        for indices in torch.split(order[: len(self) * self._batch_size], self._batch_size):
            pixels = torch.from_numpy(self._pixels(indices.numpy()))
            images = pixels.to(self._device).float() / 255
            images = self._normalize(self._augment(images, size))
            targets = self._targets[indices].to(self._device)
            yield self._mix(images, targets) if self._mix else (images, targets)

    def _pixels(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return uint8 ``(B, C, S, S)`` by indices that count through all sets of images."""
        preprocessing = self._images[0].preprocessing
        side = preprocessing.input_size
        pixels = np.empty((len(indices), preprocessing.channels, side, side), np.uint8)
        first = 0
        for images in self._images:
            here = (first <= indices) & (indices < first + len(images))
            if here.any():
                pixels[here] = images.batch(indices[here] - first)
            first += len(images)
        return pixels

    def _normalize(self, images: Tensor) -> Tensor:
        preprocessing = self._images[0].preprocessing
        mean = torch.tensor(preprocessing.mean, device=self._device).view(1, -1, 1, 1)
        std = torch.tensor(preprocessing.std, device=self._device).view(1, -1, 1, 1)
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)
