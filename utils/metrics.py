"""Figures of merit: accuracy, calibration, confusion."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torch import Tensor
from torch.nn import functional as F

ECE_BINS = 15
COVERAGE = 0.9


def report(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """Return every figure about one set of answers, as plain types.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; rows with a negative label are left out.
        classes: The K class names.
    """
    kept = labels >= 0
    probabilities, labels = probabilities[kept], labels[kept]
    answers = probabilities.argmax(1)
    indices = list(range(len(classes)))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, answers, labels=indices, zero_division=0
    )
    per_class = {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, name in enumerate(classes)
    }
    present = support > 0
    return {
        "images": len(labels),
        "accuracy": float((answers == labels).mean()),
        "balanced_accuracy": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "ece": expected_calibration_error(probabilities, labels),
        "per_class": per_class,
        "confusion": confusion_matrix(labels, answers, labels=indices).tolist(),
    }


def expected_calibration_error(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> float:
    """Return the mean gap between confidence and accuracy over 15 equal bins.

    Guo et al., 2017, "On Calibration of Modern Neural Networks" (https://arxiv.org/abs/1706.04599).
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [
        abs(float(confidence[bins == b].sum()) - float(right[bins == b].sum())) for b in set(bins)
    ]
    return sum(gaps) / len(labels)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises the negative log-likelihood of ``logits / T``.

    Temperature scaling after Guo et al., 2017 (https://arxiv.org/abs/1706.04599).

    Args:
        logits: Float ``(N, K)``.
        labels: int64 ``(N,)``; rows with a negative label are left out.
    """
    logits, labels = logits[labels >= 0], labels[labels >= 0]
    log_temperature = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(logits / log_temperature.exp(), labels)
        value.backward()
        return value

    optimizer.step(loss)  # type: ignore[arg-type, unused-ignore]
    # Perfect or random answers have no best temperature; these bounds are far outside of use.
    return float(log_temperature.detach().exp().clamp(0.05, 20.0))


def confidence_threshold(
    probabilities: NDArray[np.floating[Any]], coverage: float = COVERAGE
) -> float:
    """Return the confidence that the given share of answers reaches."""
    return float(np.quantile(probabilities.max(1), 1 - coverage))
