"""Near-identical images that stand in two splits, which flatter a test score."""

import numpy as np
import torch
from numpy.typing import NDArray

from utils.processing.dataset import FaceDataset

SIDE = 48
MAX_RMS = 3.0


def find_near_duplicates(
    train: FaceDataset, other: FaceDataset, max_rms: float = MAX_RMS
) -> NDArray[np.bool_]:
    """Say which images have a twin in the training split.

    Twins differ by less than ``max_rms`` grey levels, root mean square over the pixels.

    Args:
        train: Training images, preprocessed to grey of the same size as ``other``.
        other: The images in question.
        max_rms: Limit in grey levels, 0..255.

    Returns:
        bool ``(N,)`` for the N images of ``other``.
    """
    _, difference = nearest_images(train, other)
    return difference < max_rms


def nearest_images(
    train: FaceDataset, other: FaceDataset
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for each image of ``other`` the most similar training image.

    Returns:
        int64 ``(N,)`` indices in ``train`` and float32 ``(N,)`` root-mean-square differences in
        grey levels.
    """
    library = _vectors(train)
    norms = (library**2).sum(1)
    indices, squares = [], []
    for rows in _vectors(other).split(512):
        squared = (rows**2).sum(1, keepdim=True) + norms - 2 * rows @ library.T
        nearest = squared.min(1)
        indices.append(nearest.indices)
        squares.append(nearest.values.clamp(min=0))
    mean = torch.cat(squares) / library.shape[1]
    return torch.cat(indices).numpy(), mean.sqrt().numpy()


def _vectors(folder: FaceDataset) -> torch.Tensor:
    pixels = folder.batch(torch.arange(len(folder)))
    # Centred values keep the float32 differences of large squares exact enough.
    return pixels.flatten(1).float() - 128
