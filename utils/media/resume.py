"""Which inputs an interrupted run has completed, according to the results it wrote."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from utils.errors import ConfigError


def truncate_incomplete(path: Path, kind: str) -> set[str]:
    """Truncate a result file to its complete entries and return the names of the inputs in it.

    The entries of the last image or video are removed, since the run may have ended in the middle
    of it.

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
    end = 0
    try:
        with path.open("rb") as file:
            for name, start in (_csv_names if kind == "csv" else _jsonl_names)(file):
                if name not in (last, None):
                    last, end = name, start
                    done[name] = None
        if last is not None:
            del done[last]
            with path.open("rb+") as file:
                file.truncate(end)
    except OSError as error:
        raise ConfigError(f"{path}: can't be resumed ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ConfigError(f"{path}: is not a result file of this program ({error})") from error
    return set(done)


def _jsonl_names(file: IO[bytes]) -> Iterator[tuple[str | None, int]]:
    """Yield the image or video of each line (None for a truncated line) and the line's offset."""
    start = 0
    for line in file:
        if line.endswith(b"\n"):
            yield json.loads(line)["image"], start
        else:
            yield None, start
        start += len(line)


def _csv_names(file: IO[bytes]) -> Iterator[tuple[str | None, int]]:
    """Yield the image or video of each row (None for a truncated row) and the row's offset."""
    offset = 0

    def lines() -> Iterator[str]:
        nonlocal offset
        for line in file:
            offset += len(line)
            yield line.decode("utf-8", "surrogateescape")

    table = csv.reader(lines())
    header = next(table, None)
    if header is None:
        return
    column, start = header.index("image"), offset
    for row in table:
        yield row[column] if len(row) == len(header) else None, start
        start = offset
