"""The text that ``evaluate.py`` prints for people."""

from collections.abc import Sequence

from utils.evaluation.comparison.ensemble import EnsembleRow
from utils.evaluation.results import (
    EndToEndResult,
    EvaluationResult,
    Metrics,
    PriorRow,
    RobustnessResult,
    ScalingRow,
)
from utils.evaluation.tables import per_class_table


def print_evaluation(result: EvaluationResult, data: object) -> None:
    """Print every part of an evaluation.

    Args:
        result: The evaluation.
        data: Name of the data folder.
    """
    print(
        f"{result.model}, head {result.head.name}, trained on {result.head.label_set}; "
        f"{result.split} of {data}"
    )
    for label_set, metrics in result.label_sets.items():
        print_metrics(label_set.display_name, metrics)
    if result.prior_table is not None:
        print_priors(result.prior_table)
    if result.scaling_table is not None:
        print_scalings(result.scaling_table)
    if result.robustness is not None:
        print_robustness(result.robustness)
    if result.end_to_end is not None:
        print_end_to_end(result.end_to_end)


def print_metrics(name: str, metrics: Metrics) -> None:
    """Print the metrics against one label set."""
    accuracy = f"accuracy {metrics.accuracy:.2%}"
    if metrics.intervals is not None:
        low, high = metrics.intervals.accuracy
        accuracy += f" [{low:.1%}, {high:.1%}]"
    if metrics.near_duplicates and metrics.near_duplicates.accuracy_without is not None:
        accuracy += f", without near-duplicates {metrics.near_duplicates.accuracy_without:.2%}"
    print(f"\n{name}: {accuracy}")
    print(
        f"  balanced {metrics.balanced_accuracy:.2%}, macro F1 {metrics.macro_f1:.3f}, "
        f"top-2 {metrics.top2_accuracy:.2%}, ECE {metrics.ece:.2%}, "
        f"{metrics.coverage_80_accuracy:.2%} right of the most confident 80%, "
        f"{metrics.images} images"
    )
    print(per_class_table(metrics))


def print_ensemble(rows: Sequence[EnsembleRow]) -> None:
    """Print the metrics of several models and of their mean, one table for each label set."""
    width = max(len(row.name) for row in rows)
    for label_set in dict.fromkeys(row.label_set for row in rows):
        print(f"\n{label_set.display_name}")
        print(f"{'':<{width}}  accuracy  95 % interval   macro F1     ECE")
        for row in rows:
            if row.label_set == label_set:
                print(f"{row.name:<{width}}  {_ensemble_cells(row.metrics)}")


def _ensemble_cells(metrics: Metrics) -> str:
    assert metrics.intervals is not None
    low, high = metrics.intervals.accuracy
    interval = f"[{low:.1%}, {high:.1%}]"
    return f"{metrics.accuracy:8.2%}  {interval}  {metrics.macro_f1:8.3f}  {metrics.ece:6.2%}"


def print_end_to_end(result: EndToEndResult) -> None:
    """Print the metrics on whole photos."""
    print(
        f"\nend to end: accuracy {result.accuracy:.2%}, "
        f"balanced {result.balanced_accuracy:.2%}, "
        f"no face found {result.no_face:.2%}, {result.images} photos"
    )
    for name, row in result.per_class.items():
        print(f"  {name:10s} recall {row.recall:.1%} of {row.support}")


def print_robustness(result: RobustnessResult) -> None:
    """Print the accuracy that each corruption costs."""
    print("\nrobustness:")
    for row in result.rows:
        print(f"  {row.name:12s} {row.accuracy:.2%}  {-100 * row.drop:+.1f} points")
    print(f"  {'mean':12s} {'':6s}  {-100 * result.mean_drop:+.1f} points")


def print_priors(rows: Sequence[PriorRow]) -> None:
    """Print the metrics at each strength of the prior correction."""
    print("\nprior correction:  accuracy  balanced  macro F1")
    for row in rows:
        print(
            f"  {row.prior_correction:.1f}{'':14s}{row.accuracy:.2%}    "
            f"{row.balanced_accuracy:.2%}    {row.macro_f1:.3f}"
        )


def print_scalings(rows: Sequence[ScalingRow]) -> None:
    """Print the metrics of each calibration method on unseen images."""
    print("\nscaling:      validation, cross-validated        this split")
    for row in rows:
        cells = [
            f"{metrics.accuracy:.2%}  NLL {metrics.nll:.4f}  ECE {metrics.ece:.2%}"
            for metrics in (row.validation, row.test)
        ]
        print(f"  {row.scaling:11s} {'    '.join(cells)}")
