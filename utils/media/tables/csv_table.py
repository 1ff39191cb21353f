"""Tables as CSV text: how cells are quoted, and read back.

A spreadsheet calculates a cell that begins like a formula, and a file name may be made to do so
(https://owasp.org/www-community/attacks/CSV_Injection). Such a text gets an apostrophe in front,
and so does one that begins with apostrophes and a formula, so that every text can be read back.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

# The wide forms of East Asian keyboards count, too. A single character is no formula.
_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20].", re.DOTALL)
_END = "\r\n"


class CsvTable:
    """Writes a comma-separated table whose lines end with a line feed.

    Args:
        file: The output, opened with ``newline=""``.
        columns: Names of the columns.
        header: Whether to write them in a first line.
    """

    def __init__(self, file: IO[str], columns: Sequence[str], *, header: bool = True) -> None:
        self._table = csv.DictWriter(_LineFeeds(file), columns, lineterminator=_END)
        if header:
            self._table.writeheader()

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row; missing values are empty cells."""
        self._table.writerow({name: quote_cell(value) for name, value in row.items()})


class _LineFeeds:
    """Passes rows on; ``csv`` quotes a carriage return only if the lines end with one."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix(_END) + "\n")


def quote_cell(value: Any) -> Any:
    """Return a value as it is written; a text that a spreadsheet would calculate is marked."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def unquote_cell(text: str) -> str:
    """Return the text that :func:`quote_cell` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def read_rows(file: IO[bytes]) -> Iterator[tuple[list[str], int]]:
    """Yield the rows of a table, the header first, and the offset in bytes at which each begins.

    Args:
        file: The table, in UTF-8; invalid bytes become surrogates, as in file names.

    Raises:
        csv.Error: The file is no table.
    """
    offset = start = 0

    def lines() -> Iterator[str]:
        nonlocal offset
        for line in file:
            offset += len(line)
            yield line.decode("utf-8", "surrogateescape")

    for row in csv.reader(lines()):
        yield [unquote_cell(cell) for cell in row], start
        start = offset
