"""The effect of each change to a recipe: short runs that differ from a base run in one thing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.errors import ConfigError
from utils.model.checkpoint import MACHINE_OPTIONS, load_checkpoint
from utils.model.spec import LabelSet

BASE = "base"


@dataclass(frozen=True, kw_only=True)
class AblationRow:
    """One run, as measured at the end of its training.

    Attributes:
        name: Run folder.
        changes: Option to value where it differs from the base run.
        epochs: Epochs of training.
        ferplus_validation: Accuracy of the first head against the FER+ majority, on validation.
        ferplus_test: The same on the test split.
        fer2013_validation: Accuracy of the last head against the folder labels, on validation.
        fer2013_test: The same on the test split.
        macro_f1: Of the first head on the test split, against FER+ where there are votes.
        ece: Calibration error of the first head on the test split, likewise.
    """

    name: str
    changes: dict[str, Any]
    epochs: int
    ferplus_validation: float | None
    ferplus_test: float | None
    fer2013_validation: float | None
    fer2013_test: float | None
    macro_f1: float
    ece: float

    def to_document(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return asdict(self)


def read_ablation(runs: Path) -> list[AblationRow]:
    """Read the finished runs of a folder, the base first, then by name.

    Args:
        runs: Folder with one run folder for each change; one is called ``base``.

    Raises:
        CheckpointError: A checkpoint can't be read.
        ConfigError: There is no finished base run.
    """
    if not (runs / BASE / "best_model.pth").is_file():
        raise ConfigError(f"{runs}: no finished run in {runs / BASE} to compare the others with")
    names = sorted(path.parent.name for path in runs.glob("*/best_model.pth"))
    names.sort(key=lambda name: name != BASE)
    base = load_checkpoint(runs / BASE / "best_model.pth").training
    rows = []
    for name in names:
        checkpoint = load_checkpoint(runs / name / "best_model.pth")
        if "test" not in checkpoint.metrics:
            continue
        options = checkpoint.training
        changes = {
            k: v for k, v in options.items() if k not in MACHINE_OPTIONS and v != base.get(k)
        }
        rows.append(_row(name, changes, epochs=options["epochs"], metrics=checkpoint.metrics))
    return rows


def _row(
    name: str, changes: dict[str, Any], *, epochs: int, metrics: Mapping[str, Any]
) -> AblationRow:
    test = metrics["test"]
    heads = list(test)
    first, last = heads[0], heads[-1]
    predicted = test[first].get(LabelSet.FERPLUS) or test[first][LabelSet.FOLDER]

    def accuracy(split: str, head: str, label_set: LabelSet) -> float | None:
        value: float | None = metrics[split][head].get(label_set, {}).get("accuracy")
        return value

    return AblationRow(
        name=name,
        changes=changes,
        epochs=epochs,
        ferplus_validation=accuracy("validation", first, LabelSet.FERPLUS),
        ferplus_test=accuracy("test", first, LabelSet.FERPLUS),
        fer2013_validation=accuracy("validation", last, LabelSet.FOLDER),
        fer2013_test=accuracy("test", last, LabelSet.FOLDER),
        macro_f1=predicted["macro_f1"],
        ece=predicted["ece"],
    )


def ablation_table(rows: Sequence[AblationRow]) -> str:
    """Return the runs as a Markdown table with their differences from the base in points."""
    base = rows[0]
    lines = [
        "| change | FER+ validation | FER+ test | FER2013 test | macro F1 | ECE |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        changes = ", ".join(f"{option} {value}" for option, value in row.changes.items())
        name = row.name.replace("-", " ") + (f" (`{changes}`)" if changes else "")
        lines.append(
            f"| {name} | {_with_difference(row.ferplus_validation, base.ferplus_validation)} "
            f"| {_with_difference(row.ferplus_test, base.ferplus_test)} "
            f"| {_with_difference(row.fer2013_test, base.fer2013_test)} "
            f"| {row.macro_f1:.3f} | {row.ece:.1%} |"
        )
    return "\n".join(lines)


def _with_difference(value: float | None, base: float | None) -> str:
    if value is None:
        return "–"
    if base is None or value == base:
        return f"{value:.1%}"
    return f"{value:.1%} ({100 * (value - base):+.1f})"
