"""The images of a training run: both splits in memory, normalised by the training images."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import FaceDataset, load_split
from utils.training.config import TrainConfig

_SAMPLE = 4000


class Splits(NamedTuple):
    """The images of a training run.

    Attributes:
        train: Images to learn from.
        validation: Images that choose the epoch and calibrate, of the same classes.
    """

    train: FaceDataset
    validation: FaceDataset


def load_data(config: TrainConfig, *, show_progress: bool = False) -> Splits:
    """Load the training and validation images, into memory if they fit.

    Raises:
        DataError: A split is missing or malformed, or images can't be decoded.
        ImageError: An image that is not cached can't be decoded.
    """
    preprocessing = Preprocessing(input_size=config.network.input_size, color=config.network.color)
    train = load_split(config.data, "train", preprocessing=preprocessing)
    validation = load_split(
        config.data, "validation", preprocessing=preprocessing, classes=train.classes
    )
    for dataset in (train, validation):
        dataset.cache(config.execution.cache_gb, show_progress=show_progress)
    sample = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:_SAMPLE]
    mean, std = measure_normalization(train.batch(sample.numpy()))
    preprocessing = replace(preprocessing, mean=mean, std=std)
    return Splits(
        train.with_preprocessing(preprocessing), validation.with_preprocessing(preprocessing)
    )


def measure_normalization(
    pixels: NDArray[np.uint8],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the standard deviation of each channel, for values in 0..1.

    Args:
        pixels: uint8 ``(N, C, S, S)``.
    """
    values = torch.from_numpy(pixels).float() / 255
    mean, std = values.mean((0, 2, 3)), values.std((0, 2, 3))
    return tuple(round(v, 4) for v in mean.tolist()), tuple(round(v, 4) for v in std.tolist())
