"""FER+ votes as labels: soft targets for training, majority labels for evaluation.

Barsoum et al., 2016, "Training deep networks for facial expression recognition with crowd-sourced
label distribution" (https://arxiv.org/abs/1608.01041).
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.emotions import FERPLUS_COLUMNS, FERPLUS_OTHER
from utils.errors import DataError
from utils.processing.prepare.fer2013_table import USAGES

OTHER = tuple(name.lower() for name in FERPLUS_OTHER)
_PREPARED_NAMES = {
    "Usage": "split",
    "Image name": "image",
    "NF": "nf",
    **{column: name for name, column in FERPLUS_COLUMNS.items()},
}


def load_votes(
    path: Path, classes: tuple[str, ...], *, split: str
) -> dict[str, NDArray[np.float32]]:
    """Read the votes of one split.

    Args:
        path: ``ferplus.csv`` as ``backend/prepare.py`` writes it, or ``fer2013new.csv`` of FER+.
        classes: The K class names.
        split: ``train``, ``validation`` or ``test``.

    Returns:
        File name to float32 votes ``(K + 3,)``: the classes in order, then contempt, unknown, NF
        (not a face).

    Raises:
        DataError: The file can't be read, lacks a column or has a vote that is not a number.
    """
    votes = {}
    columns = (*classes, *OTHER)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            reader.fieldnames = [_PREPARED_NAMES.get(n, n) for n in reader.fieldnames or ()]
            if missing := {"image", "split", *columns} - set(reader.fieldnames):
                raise DataError(f"{path}: lacks the columns {', '.join(sorted(missing))}")
            for row in reader:
                if USAGES.get(str(row["split"]).lower(), row["split"]) != split:
                    continue
                try:
                    votes[row["image"]] = np.array([float(row[c]) for c in columns], np.float32)
                except (TypeError, ValueError) as error:
                    raise DataError(f"{path}: line {reader.line_num}: {error}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't read the FER+ votes: {error}") from error
    return votes


def soft_targets(votes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return votes ``(N, K + 3)`` as distributions ``(N, K)``; a row without usable votes is zero.

    A single vote for a class is taken for a slip and ignored, as in the FER+ paper's code, unless
    no class has more.
    """
    named = votes[:, : -len(OTHER)]
    repeated = np.where(named > 1, named, 0)
    named = np.where(repeated.sum(1, keepdims=True) > 0, repeated, named)
    total = named.sum(1, keepdims=True)
    values: NDArray[np.float32] = np.divide(named, total, out=np.zeros_like(named), where=total > 0)
    return values


def majority(votes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the majority class ``(N,)`` of votes ``(N, K + 3)``; -1 for images without.

    An image has none if contempt, unknown or not-a-face has more votes than every class. Ties go to
    the first class in order.
    """
    named, other = votes[:, : -len(OTHER)], votes[:, -len(OTHER) :]
    best = named.max(1)
    return np.where((best > 0) & (best >= other.max(1)), named.argmax(1), -1)
