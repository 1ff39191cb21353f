"""Measure every trained architecture in the same way."""

import time
from pathlib import Path

import numpy as np
import torch

from utils.errors import ConfigError
from utils.evaluation.comparison.zoo_table import ZooRow
from utils.evaluation.split import SplitPredictions
from utils.model.architectures import count_multiply_adds, count_parameters
from utils.model.checkpoint import Checkpoint, epochs_in_all, load_checkpoint
from utils.model.spec import LabelSet

# FER2013 test accuracies, in percent, that public projects report for the same kind of network.
PUBLISHED = {
    "attention_cnn": 65.9,
    "baseline_cnn": 65.7,
    "cbam_cnn": 62.2,
    "kernel_cnn": 59.7,
    "mini_xception": 66.0,
    "mobilenet_v3_large": 65.0,
    "se_resnet": 73.28,  # VGGNet of Khaireddin and Chen, 2021 (https://arxiv.org/abs/2105.03588)
    "simple_resnet": 53.1,
    "small_vit": 65.5,
    "vgg_cnn": 66.0,
    "vit": 65.5,
}
_RUNS = 60


def find_models(folder: Path) -> dict[str, Path]:
    """Return name to checkpoint for ``FOLDER/NAME/best_model.pth`` and ``FOLDER/NAME.pth``.

    Raises:
        ConfigError: The folder is missing.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; train with --out {folder}/NAME")
    runs = {path.parent.name: path for path in sorted(folder.glob("*/best_model.pth"))}
    return runs | {path.stem: path for path in sorted(folder.glob("*.pth"))}


def load_models(folder: Path) -> dict[str, Checkpoint]:
    """Read every checkpoint of a folder.

    Raises:
        CheckpointError: One of them can't be read.
        ConfigError: The folder is missing or holds none.
    """
    models = {name: load_checkpoint(path) for name, path in find_models(folder).items()}
    if not models:
        raise ConfigError(f"{folder}: no NAME/best_model.pth or NAME.pth in it")
    return models


def measure_architecture(
    name: str, checkpoint: Checkpoint, *, predictions: SplitPredictions
) -> ZooRow:
    """Return one architecture's row.

    Args:
        name: Name in the table.
        checkpoint: The model.
        predictions: Its predictions on the test split.
    """
    preprocessing = checkpoint.preprocessing
    network = checkpoint.build()
    fer2013 = predictions.metrics(checkpoint.heads[-1])[LabelSet.FOLDER]
    ferplus = predictions.metrics(checkpoint.heads[0]).get(LabelSet.FERPLUS)
    disgust = fer2013.per_class.get("disgust")
    duplicates = fer2013.near_duplicates
    return ZooRow(
        name=name,
        model=checkpoint.model,
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(
            network, preprocessing.input_size, in_channels=preprocessing.channels
        ),
        input_size=preprocessing.input_size,
        epochs=epochs_in_all(checkpoint.training),
        teacher=bool(checkpoint.training.get("distill")),
        accuracy=fer2013.accuracy,
        accuracy_twin_free=duplicates.accuracy_without if duplicates else None,
        macro_f1=fer2013.macro_f1,
        disgust_f1=disgust.f1 if disgust else None,
        ferplus_accuracy=ferplus.accuracy if ferplus else None,
        ece=(ferplus or fer2013).ece,
        ms=latency(checkpoint),
        published=PUBLISHED.get(checkpoint.model),
        revision=checkpoint.revision,
    )


@torch.inference_mode()
def latency(checkpoint: Checkpoint) -> float:
    """Return the median milliseconds for one face in PyTorch on one CPU thread."""
    preprocessing, threads = checkpoint.preprocessing, torch.get_num_threads()
    network = checkpoint.build().to(memory_format=torch.channels_last)
    face = torch.zeros(
        1, preprocessing.channels, preprocessing.input_size, preprocessing.input_size
    )
    torch.set_num_threads(1)
    try:
        seconds = []
        for _ in range(_RUNS):
            start = time.perf_counter()
            network(face)
            seconds.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return 1000 * float(np.median(seconds[_RUNS // 4 :]))
