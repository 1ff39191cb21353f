"""The images of a training run: in memory, normalised by the labelled training images."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from utils.errors import DataError
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import FaceDataset, load_split
from utils.processing.face_images import FaceImages, load_faces
from utils.training.config import TrainConfig

_SAMPLE = 4000


class Splits(NamedTuple):
    """The images of a training run.

    Attributes:
        train: Images to learn from.
        validation: Images that choose the epoch and calibrate, of the same classes.
        unlabelled: Images to learn from by the predictions of teachers; None for none.
    """

    train: FaceDataset
    validation: FaceDataset
    unlabelled: FaceImages | None = None


def load_data(config: TrainConfig, *, show_progress: bool = False) -> Splits:
    """Load the training, validation and unlabelled images, into memory if they fit.

    Mean and standard deviation are those of the labelled training images.

    Raises:
        DataError: A split is missing or malformed, a folder has no images, images can't be decoded,
            or the training images are all of one colour.
        ImageError: The folder of unlabelled images is missing, or an image that is not cached can't
            be decoded.
    """
    preprocessing = Preprocessing(input_size=config.network.input_size, color=config.network.color)
    train = load_split(config.data, "train", preprocessing=preprocessing)
    validation = load_split(
        config.data, "validation", preprocessing=preprocessing, classes=train.classes
    )
    folder = config.targets.unlabelled
    unlabelled = load_faces(folder, preprocessing=preprocessing) if folder else None
    for images in filter(None, (train, validation, unlabelled)):
        images.cache(config.execution.cache_gb, show_progress=show_progress)
    sample = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:_SAMPLE]
    mean, std = measure_normalization(train.batch(sample.numpy()))
    if not all(std):
        raise DataError(f"{config.data}: the training images are all of one colour")
    preprocessing = replace(preprocessing, mean=mean, std=std)
    return Splits(
        train.with_preprocessing(preprocessing),
        validation.with_preprocessing(preprocessing),
        unlabelled.with_preprocessing(preprocessing) if unlabelled else None,
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
