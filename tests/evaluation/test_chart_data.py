"""The data of the charts: accuracy by confidence and coverage, and what corruptions cost."""

from pathlib import Path

import numpy as np
import pytest

from utils.errors import DataError
from utils.evaluation.chart_data import (
    load_curves,
    load_robustness_data,
    save_curves,
    save_robustness_data,
)
from utils.evaluation.curves import compute_curves
from utils.evaluation.metrics import compute_metrics
from utils.evaluation.results import RobustnessRow

CLASSES = ("a", "b", "c")


def predictions(number: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet((2, 1, 1), number)
    labels = random.integers(-1, 3, number)
    return probabilities, labels


def test_curves_agree_with_the_metrics() -> None:
    probabilities, labels = predictions()
    curves = compute_curves(probabilities, labels, threshold=0.6)
    known = labels >= 0
    metrics = compute_metrics(probabilities[known], labels[known], classes=CLASSES)
    number = sum(row.count for row in curves.reliability)
    gaps = [row.count * abs(row.confidence - row.accuracy) for row in curves.reliability]
    assert number == metrics.images
    assert sum(gaps) / number == pytest.approx(metrics.ece)
    assert curves.coverage[-1].coverage == 1
    assert curves.coverage[-1].accuracy == pytest.approx(metrics.accuracy)
    at_80 = min(curves.coverage, key=lambda point: abs(point.coverage - 0.8))
    assert at_80.accuracy == pytest.approx(metrics.coverage_80_accuracy, abs=0.01)
    assert curves.certain == pytest.approx((probabilities[known].max(1) >= 0.6).mean())


def test_files_hold_the_same(tmp_path: Path) -> None:
    curves = compute_curves(*predictions(), threshold=0.5)
    save_curves(curves, tmp_path / "curves.json")
    assert load_curves(tmp_path / "curves.json") == curves
    rows = [RobustnessRow(name="blur", accuracy=0.7, drop=0.1)]
    save_robustness_data(rows, tmp_path / "robustness.json")
    assert load_robustness_data(tmp_path / "robustness.json") == rows


@pytest.mark.parametrize("content", [b"", b"[]", b"[1]", b"\xff", b'{"reliability": 1}'])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other\.json: can't be read"):
        load_curves(path)
    if content != b"[]":
        with pytest.raises(DataError, match=r"other\.json: can't be read"):
            load_robustness_data(path)
