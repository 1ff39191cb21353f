"""Accuracy by confidence and by coverage."""

import numpy as np

from utils.evaluation.chart_data import ConfidenceBin, CoveragePoint, Curves
from utils.evaluation.metrics import ECE_BINS, Labels, Probabilities, coverage_curve

_COVERAGE_POINTS = 100
_LEAST_COVERAGE = 0.05  # the accuracy of a few predictions means little


def compute_curves(probabilities: Probabilities, labels: Labels, *, threshold: float) -> Curves:
    """Return the curves of a head.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; negative ones are left out.
        threshold: Predictions less probable than this are uncertain.
    """
    probabilities, labels = probabilities[labels >= 0], labels[labels >= 0]
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    reliability = [
        ConfidenceBin(
            confidence=float(confidence[bins == b].mean()),
            accuracy=float(right[bins == b].mean()),
            count=int((bins == b).sum()),
        )
        for b in np.unique(bins)
    ]
    coverage, accuracy = coverage_curve(probabilities, labels)
    at = np.linspace(_LEAST_COVERAGE, 1, _COVERAGE_POINTS)
    points = [
        CoveragePoint(coverage=share, accuracy=value)
        for share, value in zip(at.tolist(), np.interp(at, coverage, accuracy), strict=True)
    ]
    certain = float((confidence >= threshold).mean())
    return Curves(reliability=reliability, coverage=points, certain=certain)
