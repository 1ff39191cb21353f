"""The data of interactive charts, as files beside a model."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from utils.errors import DataError
from utils.evaluation.results import RobustnessRow
from utils.files import write_file

_ROBUSTNESS = TypeAdapter(list[RobustnessRow])


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


def curves_file(folder: Path, split: str, head: str) -> Path:
    """Return where the curves of a head are kept."""
    return folder / f"curves_{split}_{head}.json"


def save_curves(curves: Curves, path: Path) -> None:
    """Write curves as JSON."""
    write_file(path, (curves.model_dump_json(indent=1) + "\n").encode())


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
    write_file(path, _ROBUSTNESS.dump_json(list(rows), indent=1) + b"\n")


def load_robustness_data(path: Path) -> list[RobustnessRow]:
    """Read what ``save_robustness_data`` wrote.

    Raises:
        DataError: The file can't be read or has other content.
    """
    try:
        return _ROBUSTNESS.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: can't be read; run backend/evaluate.py again") from error
