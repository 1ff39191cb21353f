"""Checks of an exported ONNX file against its checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from utils.errors import CheckpointError
from utils.model.checkpoint import Checkpoint
from utils.model.onnx_runtime import OnnxRuntime

_BATCH = 256


@dataclass(frozen=True)
class Limits:
    """How far an exported file may be from its checkpoint.

    Attributes:
        probability: Largest allowed difference of any probability.
        agreement: Smallest allowed share of equal predictions.
        accuracy: Largest allowed loss of accuracy, a share.
    """

    probability: float
    agreement: float
    accuracy: float


LIMITS = {
    "fp32": Limits(1e-4, 0.999, 0.001),
    "fp16": Limits(0.02, 0.99, 0.002),
    "int8": Limits(1.0, 0.95, 0.003),
    "int8-dynamic": Limits(1.0, 0.95, 0.005),
}


@dataclass(frozen=True)
class Drift:
    """How the predictions of an exported file differ from the checkpoint's.

    Attributes:
        images: Number of images compared.
        max_probability: Largest difference of any probability.
        mean_probability: Mean absolute difference of the probabilities.
        agreement: Share of equal predictions.
        accuracy_loss: Accuracy lost, a share; None without labels.
    """

    images: int
    max_probability: float
    mean_probability: float
    agreement: float
    accuracy_loss: float | None


def measure_drift(
    checkpoint: Checkpoint,
    path: Path,
    *,
    pixels: NDArray[np.float32],
    labels: Mapping[str, NDArray[np.int64]] | None = None,
) -> Drift:
    """Compare the predictions of an exported file with the checkpoint's.

    Args:
        checkpoint: The original.
        path: The ``.onnx`` file.
        pixels: Normalised float32 ``(N, C, S, S)``.
        labels: Head name to int64 ``(N,)``; negative labels are ignored.
    """
    runtime, network = OnnxRuntime(path), checkpoint.build()
    with torch.inference_mode():
        batches = torch.split(torch.from_numpy(pixels), _BATCH)
        expected = torch.cat([network(batch) for batch in batches]).numpy()
    parts = np.split(pixels, range(_BATCH, len(pixels), _BATCH))
    exported = np.concatenate([runtime(part) for part in parts])
    differences, equal, losses = [], [], []
    for head in checkpoint.heads:
        columns = checkpoint.head_columns(head)
        p, q = (head.probabilities(logits[:, columns]) for logits in (expected, exported))
        differences.append(np.abs(p - q))
        equal.append(p.argmax(1) == q.argmax(1))
        truth = (labels or {}).get(head.name)
        if truth is not None and (truth >= 0).any():
            labelled = truth >= 0
            before, after = ((a.argmax(1) == truth)[labelled].mean() for a in (p, q))
            losses.append(float(before - after))
    return Drift(
        images=len(pixels),
        max_probability=float(np.max(differences)),
        mean_probability=float(np.mean(differences)),
        agreement=float(np.mean(equal)),
        accuracy_loss=max(losses) if losses else None,
    )


def check_drift(path: Path, drift: Drift, *, precision: str) -> None:
    """Refuse an exported file that is too far from its checkpoint.

    Raises:
        CheckpointError: It exceeds the limits of its precision.
    """
    limits = LIMITS[precision]
    reasons = []
    # Negated, so that NaN is refused as well.
    if not drift.max_probability <= limits.probability:
        reasons.append(
            f"a probability differs by {drift.max_probability:.4f}, more than {limits.probability}"
        )
    if drift.agreement < limits.agreement:
        reasons.append(
            f"{drift.agreement:.1%} of the predictions agree, fewer than {limits.agreement:.1%}"
        )
    if drift.accuracy_loss is not None and drift.accuracy_loss > limits.accuracy:
        reasons.append(
            f"it loses {100 * drift.accuracy_loss:.2f} points of accuracy, more than "
            f"{100 * limits.accuracy:.1f}"
        )
    if reasons:
        raise CheckpointError(f"{path}: refused and not written: {'; '.join(reasons)}")
