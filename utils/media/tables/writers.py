"""Result writers, which all append: JSON, JSON lines, CSV, Parquet."""

import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Protocol

from utils.errors import ConfigError, OutputError, error_boundary
from utils.extras import require
from utils.media.tables.csv_table import CsvTable
from utils.media.tables.rows import columns, rows
from utils.results import Outcome, to_document

FORMATS = ("json", "jsonl", "csv", "parquet")


class ResultWriter(Protocol):
    """Writes results one by one; every written result survives a killed program."""

    def write(self, outcome: Outcome) -> None:
        """Append a result or failure."""
        ...

    def close(self) -> None:
        """Complete the document."""
        ...


class JsonLinesWriter:
    """Writes one JSON document per line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, outcome: Outcome) -> None:
        """Append a line."""
        self._file.write(json.dumps(to_document(outcome)) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Do nothing: every line is complete."""


class JsonArrayWriter:
    """Writes one JSON document: a list, or a single result.

    Args:
        file: The output.
        single: Write the only result itself instead of a list.
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
        """Close the list."""
        if not self._single:
            self._file.write("\n]\n" if self._count else "[]\n")
        elif self._count:
            self._file.write("\n")
        self._file.flush()


class CsvWriter:
    """Writes a comma-separated UTF-8 table with a header line."""

    def __init__(self, file: IO[str], classes: Sequence[str], *, header: bool = True) -> None:
        self._file = file
        self._table = CsvTable(file, list(columns(classes)), header=header)

    def write(self, outcome: Outcome) -> None:
        """Append the result's rows."""
        for row in rows(outcome):
            self._table.write(row)
        self._file.flush()

    def close(self) -> None:
        """Do nothing: every line is complete."""


class FileWriter:
    """A writer that owns its file: it reports disk errors and closes the file.

    Args:
        path: The file.
        make: Creates the writer for the open file; receives whether the file already has content.

    Raises:
        OutputError: The file can't be opened for writing.
    """

    def __init__(self, path: Path, make: Callable[[IO[str], bool], ResultWriter]) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # File names may contain invalid UTF-8; such bytes must be written back unchanged.
            self._file = path.open("a", encoding="utf-8", errors="surrogateescape", newline="")
            self._writer = make(self._file, self._file.tell() > 0)
        except OSError as error:
            raise OutputError(f"{path}: can't be written ({error.strerror})") from error

    def write(self, outcome: Outcome) -> None:
        """Append a result or failure.

        Raises:
            OutputError: The disk is full, or the file can't be written for another reason.
        """
        try:
            self._writer.write(outcome)
        except OSError as error:
            raise OutputError(
                f"{self._path}: can't be written ({error.strerror}); it contains the results so far"
            ) from error

    def close(self) -> None:
        """Complete and close the file.

        Raises:
            OutputError: The remaining data can't be written.
        """
        try:
            self._writer.close()
            self._file.close()
        except OSError as error:
            raise OutputError(f"{self._path}: can't be written ({error.strerror})") from error


def open_writer(
    path: Path, kind: str, *, classes: Sequence[str], single: bool = False
) -> ResultWriter:
    """Open a result file; existing content is kept and new results are appended.

    A Parquet file can't be read before its footer is written: results are first collected as JSON
    lines in :func:`journal_of` the file, which :func:`complete_file` converts at the end.

    Args:
        path: The file; missing folders are created.
        kind: One of ``FORMATS``.
        classes: Names of the model's classes, for the columns of tables.
        single: JSON: write the only result itself instead of a list.

    Raises:
        ConfigError: The kind is unknown.
        OutputError: The file can't be opened for writing.
    """
    if kind == "json":
        return FileWriter(path, lambda file, begun: JsonArrayWriter(file, single))
    if kind == "csv":
        return FileWriter(path, lambda file, begun: CsvWriter(file, classes, header=not begun))
    if kind == "parquet":
        require("parquet", feature="Parquet")
        return FileWriter(journal_of(path), lambda file, begun: JsonLinesWriter(file))
    if kind == "jsonl":
        return FileWriter(path, lambda file, begun: JsonLinesWriter(file))
    raise ConfigError(f"unknown format {kind!r}; use one of {', '.join(FORMATS)}")


def complete_file(path: Path, kind: str, *, classes: Sequence[str]) -> None:
    """Bring the file of a run that has processed all its sources into its final form.

    Until then, a Parquet run can be resumed from its journal.

    Args:
        path: The file; its writer has been closed.
        kind: One of ``FORMATS``.
        classes: As given to :func:`open_writer`.

    Raises:
        OutputError: A Parquet file can't be written; its journal is kept.
    """
    if kind != "parquet":
        return
    from utils.media.tables.parquet import write_parquet

    with error_boundary(
        lambda reason: OutputError(f"{path}: can't be written ({reason})"), known=(OSError,)
    ):
        write_parquet(journal_of(path), path, classes=classes)


def as_csv(outcomes: Iterable[Outcome], classes: Sequence[str]) -> str:
    """Return results as CSV text."""
    file = io.StringIO()
    table = CsvWriter(file, classes)
    for outcome in outcomes:
        table.write(outcome)
    return file.getvalue()


def journal_of(path: Path) -> Path:
    """Return the path where results for a Parquet file are collected until it is complete."""
    return path.with_name(path.name + ".part.jsonl")


def guess_format(path: Path) -> str:
    """Return the output format for a file's suffix.

    Raises:
        ConfigError: The suffix is not that of a known format.
    """
    kind = path.suffix.lower().lstrip(".")
    kind = {"ndjson": "jsonl"}.get(kind, kind)
    if kind not in FORMATS:
        raise ConfigError(
            f"--out {path}: unknown suffix; add --format with one of {', '.join(FORMATS)}"
        )
    return kind
