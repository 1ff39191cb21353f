"""Which inputs an interrupted run has completed, according to the results it wrote."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from utils.errors import ConfigError
from utils.media.tables.csv_table import read_rows
from utils.media.tables.rows import COLUMNS
from utils.results import parse_document

# How each line of JSON begins: a result, or a failure.
_BEGINNINGS = (b'{"model": ', b'{"image": ')
_HEADER = ",".join(COLUMNS).encode()


class _ForeignFileError(ValueError):
    """A file was not written by this project."""


def truncate_incomplete(path: Path, kind: str) -> set[str]:
    """Truncate a result file to its complete entries and return the names of the inputs in it.

    The entries of the last image or video are removed, since the run may have ended in the middle
    of it. A file of another program is left unchanged.

    Args:
        path: The result file; if it does not exist, nothing is done.
        kind: ``jsonl`` or ``csv``.

    Raises:
        ConfigError: The file is not a result file of this program, or can't be modified.
    """
    if not path.is_file():
        return set()
    done: dict[str, None] = {}
    last: str | None = None
    end: int | None = None
    truncated = False
    try:
        with path.open("rb+") as file:
            for name, start in (_csv_names if kind == "csv" else _jsonl_names)(file):
                if truncated:
                    raise _ForeignFileError("a row lacks cells")
                if name is None:
                    truncated, end = True, start if end is None else end
                elif name != last:
                    last, end = name, start
                    done[name] = None
            if end is not None:
                file.truncate(end)
    except OSError as error:
        raise ConfigError(f"{path}: can't be resumed ({error.strerror})") from error
    except (_ForeignFileError, csv.Error, UnicodeError) as error:
        raise ConfigError(
            f"{path}: is not a result file of this program ({error}); it was left unchanged"
        ) from error
    return set(done) - {last}


def _jsonl_names(file: IO[bytes]) -> Iterator[tuple[str | None, int]]:
    """Yield the image or video of each line (None for a truncated line) and the line's offset."""
    start = 0
    for number, line in enumerate(file, 1):
        if line.endswith(b"\n"):
            yield _image_of(line, number), start
        elif any(line.startswith(text[: len(line)]) for text in _BEGINNINGS):
            yield None, start
        else:
            raise _ForeignFileError(f"line {number} is no result")
        start += len(line)


def _image_of(line: bytes, number: int) -> str:
    try:
        image = parse_document(json.loads(line)).image
    except (ValueError, RecursionError) as error:  # pydantic's ValidationError is a ValueError
        raise _ForeignFileError(f"line {number} is no result") from error
    if image is None:
        raise _ForeignFileError(f"line {number} names no image")
    return image


def _csv_names(file: IO[bytes]) -> Iterator[tuple[str | None, int]]:
    """Yield the image or video of each row (None for a truncated row) and the row's offset."""
    beginning = file.readline()
    if not beginning.endswith(b"\n"):
        if not _HEADER.startswith(beginning[: len(_HEADER)]):
            raise _ForeignFileError("the header lacks columns")
        if beginning:
            yield None, 0
        return
    file.seek(0)
    table = read_rows(file)
    header, _ = next(table)
    probabilities = header[len(COLUMNS) :]
    if header[: len(COLUMNS)] != list(COLUMNS) or not all(
        name.startswith(("p_", "raw_")) for name in probabilities
    ):
        raise _ForeignFileError("it has other columns")
    column = header.index("image")
    for row, start in table:
        yield row[column] if len(row) == len(header) else None, start
