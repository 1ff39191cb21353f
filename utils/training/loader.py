"""Training batches: shuffled, augmented, normalised, mixed."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from utils.processing.face_images import FaceImages
from utils.training.augmentation import build_augmentation, build_mixing
from utils.training.config import AugmentationConfig

# Batches that wait for the caller: enough to bridge a slow one, few enough for the memory.
_AHEAD = 2
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


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

    def epoch(self, number: int) -> Generator[tuple[Tensor, Tensor], None, None]:
        """Yield the batches of an epoch: images and targets.

        While the caller works on a batch, a thread decodes and changes the images of the next ones.
        It draws from a generator of its own, seeded by torch's global one, so the batches do not
        depend on what the caller draws meanwhile. Close the iterator to end the thread early.

        Args:
            number: Number of the epoch, counted from 1.

        Yields:
            Normalised float32 ``(B, C, S, S)`` and float32 ``(B, H * K)``.

        Raises:
            ImageError: An image that is not cached can't be decoded.
        """
        small = number <= self._config.progressive_epochs
        size = self._config.progressive_size if small else None
        generator = torch.Generator().manual_seed(int(torch.randint(2**63 - 1, ())))
        order = torch.randperm(len(self._targets), generator=generator)
        batches = torch.split(order[: len(self) * self._batch_size], self._batch_size)
        make = partial(self._make, size=size, generator=generator)
        with closing(_compute_ahead(make, batches)) as made:
            for images, targets in made:
                # Mixing draws from the global generator, as torchvision lets it do nothing else.
                yield self._mix(images, targets) if self._mix else (images, targets)

    def _make(
        self, indices: Tensor, *, size: int | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the augmented images and the targets of a batch."""
        pixels = torch.from_numpy(self._pixels(indices.numpy()))
        images = pixels.to(self._device).float() / 255
        images = self._normalize(self._augment(images, size, generator=generator))
        return images, self._targets[indices].to(self._device)

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


def _compute_ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Generator[_Result, None, None]:
    """Yield a function's result for each item in order, computed ahead in one thread.

    An error of the function is raised here. Closing the iterator ends the thread.
    """
    pool = ThreadPoolExecutor(1, "batches")
    results: deque[Future[_Result]] = deque()
    try:
        for item in items:
            results.append(pool.submit(function, item))
            if len(results) > _AHEAD:
                yield results.popleft().result()
        while results:
            yield results.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
