"""Metrics of a set of predictions: accuracy, calibration, confusion."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from utils.evaluation.results import ClassMetrics, Intervals, Metrics, NearDuplicateMetrics

ECE_BINS = 15
COVERAGE = 0.9

Probabilities = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


def compute_metrics(
    probabilities: Probabilities,
    labels: Labels,
    *,
    classes: tuple[str, ...],
    near_duplicates: NDArray[np.bool_] | None = None,
    intervals: bool = False,
) -> Metrics:
    """Measure a set of predictions against labels.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; rows with a negative label are left out.
        classes: The K class names.
        near_duplicates: bool ``(N,)``, which images have a near-duplicate among the training
            images; None if that is not known.
        intervals: Compute the bootstrap intervals, which takes a second.
    """
    kept = labels >= 0
    probable, truth = probabilities[kept], labels[kept]
    right = probable.argmax(1) == truth
    per_class, confusion = _class_metrics(probable.argmax(1), truth, classes=classes)
    present = [metrics for metrics in per_class.values() if metrics.support]
    duplicates = None if near_duplicates is None else near_duplicates[kept]
    return Metrics(
        images=len(truth),
        accuracy=float(right.mean()),
        balanced_accuracy=float(np.mean([metrics.recall for metrics in present])),
        macro_f1=float(np.mean([metrics.f1 for metrics in present])),
        top2_accuracy=top_accuracy(probable, truth, k=2),
        ece=expected_calibration_error(probable, truth),
        coverage_80_accuracy=accuracy_at_coverage(probable, truth, coverage=0.8),
        per_class=per_class,
        confusion=confusion,
        near_duplicates=None if duplicates is None else _near_duplicate_metrics(right, duplicates),
        intervals=bootstrap_intervals(probabilities, labels) if intervals else None,
    )


def _class_metrics(
    predictions: Labels, truth: Labels, *, classes: tuple[str, ...]
) -> tuple[dict[str, ClassMetrics], list[list[int]]]:
    """Return the metrics of each class by name, and the confusion matrix by rows of true labels."""
    indices = list(range(len(classes)))
    columns = precision_recall_fscore_support(truth, predictions, labels=indices, zero_division=0)
    per_class = {
        name: ClassMetrics(
            precision=float(precision), recall=float(recall), f1=float(f1), support=int(support)
        )
        for name, precision, recall, f1, support in zip(classes, *columns, strict=True)
    }
    return per_class, confusion_matrix(truth, predictions, labels=indices).tolist()


def _near_duplicate_metrics(
    right: NDArray[np.bool_], near_duplicates: NDArray[np.bool_]
) -> NearDuplicateMetrics:
    others = right[~near_duplicates]
    return NearDuplicateMetrics(
        accuracy_without=float(others.mean()) if len(others) else None,
        count=int(near_duplicates.sum()),
    )


def top_accuracy(probabilities: Probabilities, labels: Labels, *, k: int) -> float:
    """Return the share of rows whose label is among the ``k`` most probable classes."""
    best = np.argsort(-probabilities, axis=1)[:, :k]
    return float((best == labels[:, None]).any(1).mean())


def coverage_curve(
    probabilities: Probabilities, labels: Labels
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the accuracy of the n predictions with the highest confidence, for every n.

    This is one minus the risk in the risk-coverage curve of El-Yaniv and Wiener, 2010.

    Returns:
        Coverage ``(N,)``, rising to 1, and accuracy ``(N,)``.
    """
    order = np.argsort(-probabilities.max(1), kind="stable")
    right = (probabilities.argmax(1) == labels)[order]
    number = np.arange(1, len(labels) + 1)
    return number / len(labels), np.cumsum(right) / number


def accuracy_at_coverage(probabilities: Probabilities, labels: Labels, *, coverage: float) -> float:
    """Return the accuracy on the share of predictions with the highest confidence."""
    _, accuracy = coverage_curve(probabilities, labels)
    return float(accuracy[max(0, round(coverage * len(labels)) - 1)])


def bootstrap_intervals(
    probabilities: Probabilities, labels: Labels, *, samples: int = 1000
) -> Intervals:
    """Return 95% percentile intervals over resampled images.

    Efron and Tibshirani, 1993, "An Introduction to the Bootstrap". The seed is fixed.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; rows with a negative label are left out.
        samples: Number of resamples.
    """
    kept = labels >= 0
    probabilities, labels = probabilities[kept], labels[kept]
    predictions, classes = probabilities.argmax(1), probabilities.shape[1]
    rng = np.random.default_rng(0)
    values = np.empty((samples, 4))
    for i in range(samples):
        chosen = rng.integers(0, len(labels), len(labels))
        pairs = labels[chosen] * classes + predictions[chosen]
        confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        ece = expected_calibration_error(probabilities[chosen], labels[chosen])
        values[i] = (*_confusion_metrics(confusion), ece)
    low, high = np.quantile(values, (0.025, 0.975), axis=0).tolist()
    accuracy, balanced, f1, error = zip(low, high, strict=True)
    return Intervals(accuracy=accuracy, balanced_accuracy=balanced, macro_f1=f1, ece=error)


def _confusion_metrics(confusion: NDArray[np.integer[Any]]) -> tuple[float, float, float]:
    """Return accuracy, balanced accuracy and macro F1 over the classes that have images."""
    right, support, predicted = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    present = support > 0
    recall = right[present] / support[present]
    f1 = 2 * right[present] / (support[present] + predicted[present])
    return float(right.sum() / support.sum()), float(recall.mean()), float(f1.mean())


def expected_calibration_error(probabilities: Probabilities, labels: Labels) -> float:
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


def confidence_threshold(probabilities: Probabilities, coverage: float = COVERAGE) -> float:
    """Return the confidence that a share ``coverage`` of the predictions reaches."""
    return float(np.quantile(probabilities.max(1), 1 - coverage))
