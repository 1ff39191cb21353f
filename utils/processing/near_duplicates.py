"""Near-identical images in two splits, which inflate a test score."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.errors import OutputError, reason_of
from utils.media.tables.csv_table import CsvTable
from utils.processing.dataset import FaceDataset

SIDE = 48
MAX_RMS = 3.0
_ROWS_PER_STEP = 512


def find_near_duplicates(
    train: FaceDataset, other: FaceDataset, *, max_rms: float = MAX_RMS
) -> NDArray[np.bool_]:
    """Return which images have a near-duplicate among the training images.

    Args:
        train: Training images, grey and of the same size as ``other``.
        other: The N images to check.
        max_rms: Largest root-mean-square difference over the pixels of a near-duplicate
            (exclusive), in grey levels 0..255.

    Returns:
        bool ``(N,)``.
    """
    _, rms = nearest_training_images(train, other)
    return rms < max_rms


def nearest_training_images(
    train: FaceDataset, other: FaceDataset
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the most similar training image of each image of ``other``.

    Args:
        train: Training images, grey and of the same size as ``other``.
        other: The N images to check.

    Returns:
        int64 ``(N,)`` indices in ``train`` and float32 ``(N,)`` root-mean-square differences in
        grey levels.
    """
    library = _vectors(train)
    norms = (library**2).sum(1)
    indices, squares = [], []
    vectors = _vectors(other)
    for start in range(0, len(vectors), _ROWS_PER_STEP):
        rows = vectors[start : start + _ROWS_PER_STEP]
        squared = (rows**2).sum(1, keepdims=True) + norms - 2 * (rows @ library.T)
        nearest = squared.argmin(1)
        indices.append(nearest)
        squares.append(np.maximum(squared[np.arange(len(rows)), nearest], 0))
    rms = np.sqrt(np.concatenate(squares) / np.float32(library.shape[1]))
    return np.concatenate(indices), rms


def write_pairs(pairs: Iterable[tuple[Path, Path, float]], path: Path) -> None:
    """Write near-duplicates as a CSV table.

    Args:
        pairs: An image, its nearest training image, and their root-mean-square difference.
        path: The table, with the columns ``image``, ``twin`` and ``rms``.

    Raises:
        OutputError: The table can't be written.
    """
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            table = CsvTable(file, ("image", "twin", "rms"))
            for image, twin, rms in pairs:
                table.write({"image": str(image), "twin": str(twin), "rms": f"{rms:.2f}"})
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({reason_of(error)})") from error


def _vectors(dataset: FaceDataset) -> NDArray[np.float32]:
    pixels = dataset.batch(np.arange(len(dataset)))
    # Centred values keep the float32 differences of large squares exact enough.
    flat: NDArray[np.float32] = pixels.reshape(len(pixels), -1).astype(np.float32)
    flat -= np.float32(128)
    return flat
