"""The data of interactive charts, as files beside a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from utils.errors import DataError
from utils.evaluation.metrics import ECE_BINS, Labels, Probabilities, coverage_curve
from utils.evaluation.results import RobustnessRow

_ROBUSTNESS = TypeAdapter(list[RobustnessRow])
_COVERAGE_POINTS = 100
_LEAST_COVERAGE = 0.05  # the accuracy of a few predictions means little


class ConfidenceBin(BaseModel):
    """The predictions of similar confidence.

    Attributes:
        confidence: Their mean confidence, 0..1.
        accuracy: Share of right ones, 0..1.
        count: Their number, at least 1.
    """

    confidence: float
    accuracy: float
    count: int


class CoveragePoint(BaseModel):
    """The most confident predictions.

    Attributes:
        coverage: Their share of all predictions, 0..1.
        accuracy: Share of right ones among them, 0..1.
    """

    coverage: float
    accuracy: float


class Curves(BaseModel):
    """One head's accuracy on one split.

    Attributes:
        reliability: By confidence, rising.
        coverage: By coverage, rising.
        certain: Share of the predictions that are not marked as uncertain, 0..1.
    """

    reliability: list[ConfidenceBin]
    coverage: list[CoveragePoint]
    certain: float


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


def curves_file(folder: Path, split: str, head: str) -> Path:
    """Return where the curves of a head are kept."""
    return folder / f"curves_{split}_{head}.json"


def save_curves(curves: Curves, path: Path) -> None:
    """Write curves as JSON."""
    path.write_text(curves.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_curves(path: Path) -> Curves:
    """Read what ``save_curves`` wrote.

    Raises:
        DataError: The file can't be read or has other content.
    """
    try:
        return Curves.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{path}: can't be read as curves; run backend/evaluate.py again"
        ) from error


def save_robustness_data(rows: Sequence[RobustnessRow], path: Path) -> None:
    """Write what each corruption costs as JSON."""
    path.write_bytes(_ROBUSTNESS.dump_json(list(rows), indent=1) + b"\n")


def load_robustness_data(path: Path) -> list[RobustnessRow]:
    """Read what ``save_robustness_data`` wrote.

    Raises:
        DataError: The file can't be read or has other content.
    """
    try:
        return _ROBUSTNESS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: can't be read; run backend/evaluate.py again") from error
