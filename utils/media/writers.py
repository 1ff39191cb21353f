"""Writers of results, each of which appends: JSON, JSON lines, CSV, Parquet; and of pictures."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Protocol

from utils.errors import ConfigError, OutputError
from utils.extras import require
from utils.media.rows import columns, rows
from utils.results import Outcome, to_document

FORMATS = ("json", "jsonl", "csv", "parquet")


class ResultWriter(Protocol):
    """Takes results one by one; what was taken is in the file, even if the program is killed."""

    def write(self, outcome: Outcome) -> None:
        """Append a result or failure."""
        ...

    def close(self) -> None:
        """Finish the document."""
        ...


class JsonLinesWriter:
    """One JSON document a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, outcome: Outcome) -> None:
        """Append a line."""
        self._file.write(json.dumps(to_document(outcome)) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing is left to do."""


class JsonArrayWriter:
    """One JSON document: a list, or the only element itself.

    Args:
        file: Where to write.
        single: Write the one result without a list around it.
    """

    def __init__(self, file: IO[str], single: bool = False) -> None:
        self._file, self._single, self._count = file, single, 0

    def write(self, outcome: Outcome) -> None:
        """Append an element."""
        text = json.dumps(to_document(outcome), indent=1)
        if not self._single:
            self._file.write(",\n" if self._count else "[\n")
        self._file.write(text)
        self._file.flush()
        self._count += 1

    def close(self) -> None:
        """End the list."""
        if not self._single:
            self._file.write("\n]\n" if self._count else "[]\n")
        elif self._count:
            self._file.write("\n")
        self._file.flush()


class CsvWriter:
    """A table as text, UTF-8, a comma between columns, the first line names them."""

    def __init__(self, file: IO[str], classes: Sequence[str], begun: bool) -> None:
        self._file = file
        self._writer = csv.DictWriter(file, columns(classes), lineterminator="\n")
        if not begun:
            self._writer.writeheader()

    def write(self, outcome: Outcome) -> None:
        """Append the result's rows."""
        self._writer.writerows(rows(outcome))
        self._file.flush()

    def close(self) -> None:
        """Nothing is left to do."""


class FileWriter:
    """A sink whose file this program opened: errors of the disk are named, and it is closed.

    Args:
        path: The file.
        make: Makes the sink for the opened file; is told whether the file holds results already.
        finish: Called at the end, after the file was closed.

    Raises:
        OutputError: The file can't be opened for writing.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[IO[str], bool], ResultWriter],
        finish: Callable[[], None] | None = None,
    ) -> None:
        self._path, self._finish = path, finish
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # File names may be no valid text; such bytes must come out as they went in.
            self._file = path.open("a", encoding="utf-8", errors="surrogateescape", newline="")
            self._sink = make(self._file, self._file.tell() > 0)
        except OSError as error:
            raise OutputError(f"{path}: can't be written ({error.strerror})") from error

    def write(self, outcome: Outcome) -> None:
        """Append a result or failure.

        Raises:
            OutputError: The disk is full or the file can't be written for another reason.
        """
        try:
            self._sink.write(outcome)
        except OSError as error:
            raise OutputError(
                f"{self._path}: can't be written ({error.strerror}); it holds the results so far"
            ) from error

    def close(self) -> None:
        """Finish and close the file.

        Raises:
            OutputError: The rest can't be written.
        """
        try:
            self._sink.close()
            self._file.close()
            if self._finish:
                self._finish()
        except OSError as error:
            raise OutputError(f"{self._path}: can't be written ({error.strerror})") from error


def open_writer(
    path: Path, kind: str, classes: Sequence[str], single: bool = False
) -> ResultWriter:
    """Open a file for results; what it holds already stays, new results are appended.

    Parquet can't be read before its end is written: results are first collected as JSON lines in
    :func:`journal_of` the file, from which it is made at the end.

    Args:
        path: The file; missing folders are made.
        kind: One of ``FORMATS``.
        classes: The model's classes, for the columns of tables.
        single: JSON: there will be one result alone, to be written without a list around it.

    Raises:
        OutputError: The file can't be opened for writing.
    """
    if kind == "json":
        return FileWriter(path, lambda file, begun: JsonArrayWriter(file, single))
    if kind == "csv":
        return FileWriter(path, lambda file, begun: CsvWriter(file, classes, begun))
    if kind == "parquet":
        require("parquet", feature="Parquet")
        from utils.media.parquet import write_parquet

        journal = journal_of(path)
        return FileWriter(
            journal,
            lambda file, begun: JsonLinesWriter(file),
            lambda: write_parquet(journal, path, classes),
        )
    return FileWriter(path, lambda file, begun: JsonLinesWriter(file))


def as_csv(outcomes: Iterable[Outcome], classes: Sequence[str]) -> str:
    """Return results as the text of a CSV file."""
    file = io.StringIO()
    table = CsvWriter(file, classes, begun=False)
    for outcome in outcomes:
        table.write(outcome)
    return file.getvalue()


def journal_of(path: Path) -> Path:
    """Return where the results for a Parquet file are collected until it is finished."""
    return path.with_name(path.name + ".part.jsonl")


def guess_format(path: Path) -> str:
    """Return the format that a file's suffix stands for.

    Raises:
        ConfigError: It stands for none.
    """
    kind = path.suffix.lower().lstrip(".")
    kind = {"ndjson": "jsonl"}.get(kind, kind)
    if kind not in FORMATS:
        raise ConfigError(f"--out {path}: give --format, one of {', '.join(FORMATS)}")
    return kind
