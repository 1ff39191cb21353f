"""What each change of the recipe is worth: short runs that differ from a base run in one thing."""

from pathlib import Path
from typing import Any

from utils.errors import ConfigError
from utils.model.checkpoint import load_checkpoint

BASE = "base"
_WHERE = frozenset({"data", "out", "device", "cache_gb", "compile"})


def read_ablation(runs: Path) -> list[dict[str, Any]]:
    """Read the finished runs of a folder, the base first, then by name.

    The figures are those that training measured at its end and saved in the checkpoint.

    Args:
        runs: Folder with one run folder for each change; one is called ``base``.

    Returns:
        For each run ``name``, ``changes`` (option to value, against the base), ``epochs`` and the
        accuracies ``ferplus_validation``, ``ferplus_test``, ``fer2013_validation``,
        ``fer2013_test``, ``macro_f1`` and ``ece`` of the first head on the test split.

    Raises:
        CheckpointError: A checkpoint can't be read.
        ConfigError: There is no finished base run.
    """
    if not (runs / BASE / "best_model.pth").is_file():
        raise ConfigError(f"{runs}: no finished run in {runs / BASE}, which the others are held to")
    names = sorted(p.parent.name for p in runs.glob("*/best_model.pth"))
    names.sort(key=lambda name: name != BASE)
    base = load_checkpoint(runs / BASE / "best_model.pth").training
    rows = []
    for name in names:
        checkpoint = load_checkpoint(runs / name / "best_model.pth")
        if "test" not in checkpoint.metrics:
            continue
        own = checkpoint.training
        changes = {k: own[k] for k in own if k not in _WHERE and own[k] != base.get(k)}
        rows.append({"name": name, "changes": changes, "epochs": own["epochs"]})
        rows[-1] |= _figures(checkpoint.metrics)
    return rows


def _figures(metrics: dict[str, Any]) -> dict[str, float | None]:
    """Return a run's figures; the last head is the one for FER2013's own labels."""
    test = metrics["test"]
    names = list(test)
    first, last = names[0], names[-1]
    answered = test[first].get("ferplus") or test[first]["folder"]

    def accuracy(split: str, head: str, labels: str) -> float | None:
        return metrics[split][head].get(labels, {}).get("accuracy")

    return {
        "ferplus_validation": accuracy("validation", first, "ferplus"),
        "ferplus_test": accuracy("test", first, "ferplus"),
        "fer2013_validation": accuracy("validation", last, "folder"),
        "fer2013_test": accuracy("test", last, "folder"),
        "macro_f1": answered["macro_f1"],
        "ece": answered["ece"],
    }


def ablation_table(rows: list[dict[str, Any]]) -> str:
    """Return the runs as a Markdown table with their differences from the base in points."""
    base = rows[0]
    lines = [
        "| change | FER+ validation | FER+ test | FER2013 test | macro F1 | ECE |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        changes = ", ".join(f"{k} {v}" for k, v in row["changes"].items())
        cells = [
            _with_difference(row[key], base[key])
            for key in ("ferplus_validation", "ferplus_test", "fer2013_test")
        ]
        name = row["name"].replace("-", " ") + (f" (`{changes}`)" if changes else "")
        lines.append(f"| {name} | {' | '.join(cells)} | {row['macro_f1']:.3f} | {row['ece']:.1%} |")
    return "\n".join(lines)


def _with_difference(value: float | None, base: float | None) -> str:
    if value is None:
        return "–"
    if base is None or value == base:
        return f"{value:.1%}"
    return f"{value:.1%} ({100 * (value - base):+.1f})"
