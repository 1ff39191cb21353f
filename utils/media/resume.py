"""How far an interrupted run came, by the results that it wrote."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from utils.errors import ConfigError


def truncate_incomplete(path: Path, kind: str) -> set[str]:
    """Cut a file of results back to what is complete and return the names it answers for.

    The last picture or video is taken out, as the run may have ended in the middle of it.

    Args:
        path: The file of results; if it isn't there, nothing is.
        kind: ``jsonl`` or ``csv``.

    Raises:
        ConfigError: The file holds something else, or can't be changed.
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
        raise ConfigError(f"{path}: can't be continued ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ConfigError(f"{path}: holds no results of this program ({error})") from error
    return set(done)


def _jsonl_names(file: IO[bytes]) -> Iterator[tuple[str | None, int]]:
    """Yield each line's picture or video, None for a torn one, and where the line begins."""
    start = 0
    for line in file:
        if line.endswith(b"\n"):
            yield json.loads(line)["image"], start
        else:
            yield None, start
        start += len(line)


def _csv_names(file: IO[bytes]) -> Iterator[tuple[str | None, int]]:
    """Yield each row's picture or video, None for a torn one, and where the row begins."""
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
