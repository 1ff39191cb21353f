"""Which inputs an interrupted run has completed, according to the results it wrote."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from utils.errors import ConfigError
from utils.media.tables.csv_table import read_rows
from utils.media.tables.rows import COLUMNS
from utils.results import Failure, Status, parse_document

# How each line of JSON begins: a result, or a failure.
_BEGINNINGS = (b'{"model": ', b'{"image": ')
_HEADER = ",".join(COLUMNS).encode()


class _ForeignFileError(ValueError):
    """A file was not written by this project."""


class _Entry(NamedTuple):
    """A line of JSON or a row of a table.

    Attributes:
        image: Its image or video; None if it is truncated.
        start: The offset in bytes at which it begins.
        failed: Whether the image or video failed.
    """

    image: str | None
    start: int
    failed: bool = False


def truncate_incomplete(path: Path, kind: str) -> dict[str, bool]:
    """Truncate a result file to its complete entries and return the inputs in it.

    The entries of the last image or video are removed, since the run may have ended in the middle
    of it, unless they end with its failure. A file of another program is left unchanged.

    Args:
        path: The result file; if it does not exist, nothing is done.
        kind: ``jsonl`` or ``csv``.

    Returns:
        Names of the inputs in the file, and whether each failed.

    Raises:
        ConfigError: The file is not a result file of this program, or can't be modified.
    """
    if not path.is_file():
        return {}
    try:
        with path.open("rb+") as file:
            done, end = _complete((_csv_entries if kind == "csv" else _jsonl_entries)(file))
            if end is not None:
                file.truncate(end)
    except OSError as error:
        raise ConfigError(f"{path}: can't be resumed ({error.strerror})") from error
    except (_ForeignFileError, csv.Error, UnicodeError) as error:
        raise ConfigError(
            f"{path}: is not a result file of this program ({error}); it was left unchanged"
        ) from error
    return done


def _complete(entries: Iterator[_Entry]) -> tuple[dict[str, bool], int | None]:
    """Return the complete inputs, and the offset at which the others begin, if there are any."""
    done: dict[str, bool] = {}
    last: str | None = None
    end: int | None = None
    truncated = False
    for image, start, failed in entries:
        if truncated:
            raise _ForeignFileError("a row lacks cells")
        if image is None:
            truncated, end = True, start if end is None else end
            continue
        if image != last:
            last, end = image, start
        done[image] = failed or done.get(image, False)
        if failed:
            last = end = None
    if last is not None:
        del done[last]
    return done, end


def _jsonl_entries(file: IO[bytes]) -> Iterator[_Entry]:
    start = 0
    for number, line in enumerate(file, 1):
        if line.endswith(b"\n"):
            yield _entry_of(line, number, start)
        elif any(line.startswith(text[: len(line)]) for text in _BEGINNINGS):
            yield _Entry(None, start)
        else:
            raise _ForeignFileError(f"line {number} is no result")
        start += len(line)


def _entry_of(line: bytes, number: int, start: int) -> _Entry:
    try:
        outcome = parse_document(json.loads(line))
    except (ValueError, RecursionError) as error:  # pydantic's ValidationError is a ValueError
        raise _ForeignFileError(f"line {number} is no result") from error
    if outcome.image is None:
        raise _ForeignFileError(f"line {number} names no image")
    return _Entry(outcome.image, start, isinstance(outcome, Failure))


def _csv_entries(file: IO[bytes]) -> Iterator[_Entry]:
    beginning = file.readline()
    if not beginning.endswith(b"\n"):
        if not _HEADER.startswith(beginning[: len(_HEADER)]):
            raise _ForeignFileError("the header lacks columns")
        if beginning:
            yield _Entry(None, 0)
        return
    file.seek(0)
    table = read_rows(file)
    header, _ = next(table)
    probabilities = header[len(COLUMNS) :]
    if header[: len(COLUMNS)] != list(COLUMNS) or not all(
        name.startswith(("p_", "raw_")) for name in probabilities
    ):
        raise _ForeignFileError("it has other columns")
    image, status = header.index("image"), header.index("status")
    for row, start in table:
        if len(row) == len(header):
            yield _Entry(row[image], start, row[status] == Status.FAILED.value)
        else:
            yield _Entry(None, start)
