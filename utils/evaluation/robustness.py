"""The accuracy that the faults of webcam images cost."""

import numpy as np
import torch
from numpy.typing import NDArray

from utils.evaluation.predict import predict_logits
from utils.evaluation.results import RobustnessResult, RobustnessRow
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head
from utils.processing.corruptions import CORRUPTIONS, as_rgb
from utils.processing.dataset import FaceDataset


def evaluate_robustness(
    checkpoint: Checkpoint,
    head: Head,
    *,
    dataset: FaceDataset,
    labels: NDArray[np.int64],
    average: str = "none",
) -> RobustnessResult:
    """Measure a head on every corruption of a dataset.

    Args:
        checkpoint: The model.
        head: The head to measure.
        dataset: The N images.
        labels: ``(N,)``; images with a negative label are left out.
        average: Test-time average, see ``utils.evaluation.predict.predict_logits``.
    """
    kept = np.flatnonzero(labels >= 0)
    network, columns = checkpoint.build(), checkpoint.head_columns(head)
    cpu = torch.device("cpu")
    clean = dataset.batch(kept)

    def accuracy(pixels: NDArray[np.uint8]) -> float:
        shown = dataset.with_pixels(kept, pixels)
        outputs = predict_logits(network, shown, device=cpu, average=average)
        probabilities = head.probabilities(outputs[:, columns].numpy())
        return float((probabilities.argmax(1) == labels[kept]).mean())

    reference = accuracy(clean)
    rgb = as_rgb(clean)
    rows = []
    for name, corrupt in CORRUPTIONS.items():
        corrupted = np.stack([corrupt(image) for image in rgb])
        measured = accuracy(dataset.preprocessing.to_network_size(corrupted))
        rows.append(RobustnessRow(name=name, accuracy=measured, drop=reference - measured))
    return RobustnessResult(rows=tuple(rows))
