"""The table of all trained architectures, as typed rows, JSON and Markdown."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.errors import DataError
from utils.files import write_file


@dataclass(frozen=True, kw_only=True)
class ZooRow:
    """One architecture.

    Attributes:
        name: Name in the table.
        model: Architecture.
        parameters: Number of weights.
        multiply_adds: Multiply-adds for one face.
        input_size: Side of the input in pixels.
        epochs: Epochs of training, those of the checkpoint it started from included.
        teacher: Whether it was distilled from another network; None in rows from before this was
            recorded.
        accuracy: Of the last head against FER2013's labels, on the test split, 0..1.
        accuracy_twin_free: The same without near-duplicates of training images; None if they were
            not searched for.
        macro_f1: Of the last head against FER2013's labels.
        disgust_f1: F1 of the rarest class; None if the model lacks it.
        ferplus_accuracy: Of the first head against the FER+ majority; None without votes.
        ece: Calibration error of the first head against the FER+ majority, or against FER2013's
            labels without votes.
        ms: Milliseconds for one face on one CPU thread.
        published: FER2013 test accuracy in percent that public projects report; None if unknown.
        revision: Code revision of the training run.
    """

    name: str
    model: str
    parameters: int
    multiply_adds: int
    input_size: int
    epochs: int
    teacher: bool | None = None
    accuracy: float
    accuracy_twin_free: float | None
    macro_f1: float
    disgust_f1: float | None
    ferplus_accuracy: float | None
    ece: float
    ms: float
    published: float | None
    revision: str | None

    def to_document(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        document = asdict(self)
        if self.teacher is None:
            del document["teacher"]
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ZooRow":
        """Read what ``to_document`` returned.

        Raises:
            TypeError: A value is missing or unknown.
        """
        return cls(**document)


def read_rows(path: Path) -> list[ZooRow]:
    """Read earlier results; there are none without the file.

    Raises:
        DataError: The file is damaged.
    """
    if not path.is_file():
        return []
    try:
        rows = [ZooRow.from_document(row) for row in json.loads(path.read_text("utf-8"))]
        zoo_table(rows)  # fails on values of a wrong type
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: damaged ({error!r}); remove it to measure anew") from error
    return rows


def merge_rows(path: Path, rows: Sequence[ZooRow]) -> list[ZooRow]:
    """Add rows to earlier results, replacing those of the same name, and write them.

    The weights of large models are not committed; their rows stay from the last time they were
    measured.

    Returns:
        All rows, the most accurate first.

    Raises:
        DataError: The earlier results are damaged.
    """
    names = {row.name for row in rows}
    earlier = [row for row in read_rows(path) if row.name not in names]
    merged = sorted([*earlier, *rows], key=lambda row: -row.accuracy)
    document = [row.to_document() for row in merged]
    write_file(path, (json.dumps(document, indent=1) + "\n").encode())
    return merged


def zoo_table(rows: Sequence[ZooRow], measured: Container[str] | None = None) -> str:
    """Return the rows as a Markdown table.

    Args:
        rows: The architectures.
        measured: Names of the rows measured just now; the others are marked as earlier ones. None:
            all.
    """
    lines = [
        "| architecture | parameters | mult-adds | epochs | FER2013 test | without near-duplicates "
        "| published | macro F1 | disgust F1 | FER+ test | ECE | ms a face |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    earlier = [row.name for row in rows if measured is not None and row.name not in measured]
    for row in rows:
        mark = (" †" if row.teacher else "") + (" *" if row.name in earlier else "")
        published = f"{row.published:.1f}%" if row.published else "–"
        lines.append(
            f"| {row.name}{mark} | {row.parameters / 1e6:.2f} M "
            f"| {row.multiply_adds / 1e6:,.0f} M | {row.epochs or '–'} "
            f"| {_percent(row.accuracy)} | {_percent(row.accuracy_twin_free)} "
            f"| {published} | {row.macro_f1:.3f} | {_percent(row.disgust_f1)} "
            f"| {_percent(row.ferplus_accuracy)} | {_percent(row.ece)} | {row.ms:.1f} |"
        )
    if any(row.teacher for row in rows):
        lines += ["", "† learned from another network's predictions too (`--distill`)."]
    if earlier:
        lines += ["", "\\* measured earlier; the weights are not in the folder."]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
