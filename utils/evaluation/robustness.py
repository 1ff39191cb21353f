"""How much accuracy a webcam's faults cost."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from utils.evaluation.predict import predict_logits
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head
from utils.processing.corruptions import CORRUPTIONS
from utils.processing.dataset import FaceDataset


def evaluate_robustness(
    checkpoint: Checkpoint,
    head: Head,
    folder: FaceDataset,
    labels: NDArray[np.int64],
    average: str = "none",
) -> list[dict[str, Any]]:
    """Measure a head on every degradation of a split.

    Args:
        checkpoint: The model.
        head: Whose answers.
        folder: The images.
        labels: ``(N,)``; images with a negative label are left out.
        average: Test-time average, see ``utils.evaluation.predict.predict_logits``.

    Returns:
        ``name``, ``accuracy`` and ``drop`` (shares) for each degradation.
    """
    kept = np.flatnonzero(labels >= 0)
    network, columns = checkpoint.build(), checkpoint.head_columns(head)
    clean = folder.batch(kept)

    def accuracy(pixels: NDArray[np.uint8]) -> float:
        shown = folder.with_pixels(kept, pixels)
        logits = predict_logits(network, shown, torch.device("cpu"), average)[:, columns].numpy()
        return float((head.probabilities(logits).argmax(1) == labels[kept]).mean())

    best = accuracy(clean)
    rows = []
    for name, degrade in CORRUPTIONS.items():
        rgb = clean.transpose(0, 2, 3, 1)
        rgb = np.broadcast_to(rgb, (*rgb.shape[:3], 3))
        worse = np.stack([degrade(np.ascontiguousarray(image)) for image in rgb])
        found = accuracy(folder.preprocessing.to_network_size(worse))
        rows.append({"name": name, "accuracy": found, "drop": best - found})
    return rows
