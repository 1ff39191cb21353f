"""Figures of merit: accuracy, calibration, confusion."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

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
        "top2_accuracy": top_accuracy(probabilities, labels, 2),
        "ece": expected_calibration_error(probabilities, labels),
        "coverage_80_accuracy": accuracy_at_coverage(probabilities, labels, 0.8),
        "per_class": per_class,
        "confusion": confusion_matrix(labels, answers, labels=indices).tolist(),
    }


def top_accuracy(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], k: int
) -> float:
    """Return the share of rows whose label is among the ``k`` most probable classes."""
    best = np.argsort(-probabilities, axis=1)[:, :k]
    return float((best == labels[:, None]).any(1).mean())


def coverage_curve(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coverage ``(N,)``, rising to 1, and the accuracy of so many most confident answers.

    The risk-coverage curve of El-Yaniv and Wiener, 2010, upside down.
    """
    order = np.argsort(-probabilities.max(1), kind="stable")
    right = (probabilities.argmax(1) == labels)[order]
    number = np.arange(1, len(labels) + 1)
    return number / len(labels), np.cumsum(right) / number


def accuracy_at_coverage(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], coverage: float
) -> float:
    """Return the accuracy of the most confident share of the answers."""
    _, accuracy = coverage_curve(probabilities, labels)
    return float(accuracy[max(0, round(coverage * len(labels)) - 1)])


def bootstrap_intervals(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], samples: int = 1000
) -> dict[str, list[float]]:
    """Return 95 % percentile intervals over resampled images.

    Efron and Tibshirani, 1993, "An Introduction to the Bootstrap". The seed is fixed.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; rows with a negative label are left out.
        samples: Number of resamples.

    Returns:
        ``accuracy``, ``balanced_accuracy``, ``macro_f1`` and ``ece``, each ``[low, high]``.
    """
    kept = labels >= 0
    probabilities, labels = probabilities[kept], labels[kept]
    answers, classes = probabilities.argmax(1), probabilities.shape[1]
    rng = np.random.default_rng(0)
    names = ("accuracy", "balanced_accuracy", "macro_f1", "ece")
    values = np.empty((samples, len(names)))
    for i in range(samples):
        chosen = rng.integers(0, len(labels), len(labels))
        pairs = labels[chosen] * classes + answers[chosen]
        confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        ece = expected_calibration_error(probabilities[chosen], labels[chosen])
        values[i] = (*_confusion_figures(confusion), ece)
    low, high = np.quantile(values, (0.025, 0.975), axis=0)
    return {name: [float(low[i]), float(high[i])] for i, name in enumerate(names)}


def _confusion_figures(confusion: NDArray[np.integer[Any]]) -> tuple[float, float, float]:
    """Return accuracy, balanced accuracy and macro F1 over the classes that have images."""
    right, support, answered = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    there = support > 0
    recall = right[there] / support[there]
    f1 = 2 * right[there] / (support[there] + answered[there])
    return float(right.sum() / support.sum()), float(recall.mean()), float(f1.mean())


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


def confidence_threshold(
    probabilities: NDArray[np.floating[Any]], coverage: float = COVERAGE
) -> float:
    """Return the confidence that the given share of answers reaches."""
    return float(np.quantile(probabilities.max(1), 1 - coverage))
