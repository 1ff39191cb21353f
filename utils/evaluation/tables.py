"""Results of an evaluation as Markdown tables."""

from collections.abc import Iterable, Mapping, Sequence

from utils.evaluation.results import (
    EndToEndResult,
    Metrics,
    PriorRow,
    RobustnessRow,
    ScalingRow,
)
from utils.evaluation.split import SplitPredictions
from utils.model.spec import Head


def per_class_table(metrics: Metrics) -> str:
    """Return precision, recall, F1 and support of each class."""
    lines = ["| class | precision | recall | F1 | images |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {name} | {row.precision:.1%} | {row.recall:.1%} | {row.f1:.1%} | {row.support} |"
        for name, row in metrics.per_class.items()
    ]
    return "\n".join(lines)


def accuracy_table(heads: Iterable[Head], splits: Mapping[str, SplitPredictions]) -> str:
    """Return the metrics of every head on every split against every label set.

    Args:
        heads: The model's heads.
        splits: Name of the split to the model's predictions on it.
    """
    lines = [
        "| head | labels | split | accuracy | without near-duplicates | balanced | macro F1 "
        "| top-2 | ECE | accuracy, most confident 80% | images |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for head in heads:
        for split, predictions in splits.items():
            for label_set, metrics in predictions.metrics(head, intervals=True).items():
                first = f"| {head.name} | {label_set.display_name} | {split} "
                lines.append(first + _accuracy_cells(metrics))
    return "\n".join(lines)


def _accuracy_cells(metrics: Metrics) -> str:
    interval, without = "", "–"
    if metrics.intervals is not None:
        low, high = metrics.intervals.accuracy
        interval = f" [{100 * low:.1f}, {100 * high:.1f}]"
    if metrics.near_duplicates and metrics.near_duplicates.accuracy_without is not None:
        without = f"{metrics.near_duplicates.accuracy_without:.1%}"
    return (
        f"| {metrics.accuracy:.1%}{interval} | {without} "
        f"| {metrics.balanced_accuracy:.1%} | {metrics.macro_f1:.3f} "
        f"| {metrics.top2_accuracy:.1%} | {metrics.ece:.1%} "
        f"| {metrics.coverage_80_accuracy:.1%} | {metrics.images} |"
    )


def robustness_table(rows: Iterable[RobustnessRow]) -> str:
    """Return the accuracy on each corruption and the points that it costs."""
    lines = ["| corruption | accuracy | points lost |", "|---|---:|---:|"]
    lines += [f"| {row.name} | {row.accuracy:.1%} | {100 * row.drop:.1f} |" for row in rows]
    return "\n".join(lines)


def prior_correction_table(rows: Iterable[PriorRow]) -> str:
    """Return the metrics at each strength of the class-prior correction."""
    lines = ["| correction | accuracy | balanced | macro F1 |", "|---:|---:|---:|---:|"]
    lines += [
        f"| {row.prior_correction:.1f} | {row.accuracy:.1%} | {row.balanced_accuracy:.1%} "
        f"| {row.macro_f1:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def scaling_comparison_table(rows: Sequence[ScalingRow], split: str) -> str:
    """Return each calibration method's metrics on the validation split and on another."""
    lines = [
        f"| scaling | validation: accuracy | NLL | ECE | {split}: accuracy | NLL | ECE |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [
            f"{metrics.accuracy:.1%} | {metrics.nll:.3f} | {metrics.ece:.1%}"
            for metrics in (row.validation, row.test)
        ]
        lines.append(f"| {row.scaling} | {' | '.join(cells)} |")
    return "\n".join(lines)


def end_to_end_table(result: EndToEndResult) -> str:
    """Return the recall of each class and the predictions for its photos."""
    columns = list(next(iter(result.confusion.values())))
    lines = [f"| label | recall | {' | '.join(columns)} |", "|---|---:|" + "---:|" * len(columns)]
    for name, row in result.confusion.items():
        cells = " | ".join(str(row[column]) for column in columns)
        lines.append(f"| {name} | {result.per_class[name].recall:.1%} | {cells} |")
    return "\n".join(lines)
