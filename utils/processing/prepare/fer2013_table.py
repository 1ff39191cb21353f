"""FER2013 as one table: ``emotion,pixels,Usage``, one row per image."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from PIL import Image

from utils.emotions import FER2013_CODES
from utils.errors import DataError

SIDE = 48
USAGES = {"training": "train", "publictest": "validation", "privatetest": "test"}
_LABELS = {str(code): label for code, label in enumerate(FER2013_CODES)}
_COLUMNS = ("emotion", "pixels", "usage")


@dataclass(frozen=True)
class TableRow:
    """One data row: an image with its split and class, or what is wrong with it.

    Attributes:
        index: Number among the data rows, counted from 0, by which FER+ is joined.
        problem: What is wrong with the row, whose other fields are then empty; None for a good one.
        split: ``train``, ``validation`` or ``test``.
        label: Class name.
        png: The image as a 48x48 8-bit grey PNG file.
    """

    index: int
    problem: str | None = None
    split: str = ""
    label: str = ""
    png: bytes = b""

    @property
    def name(self) -> str:
        """File name by row; not ``fer…``, because FER+ numbers its image names differently."""
        return f"row{self.index:07d}.png"

    def read(self) -> bytes:
        """Return the PNG file."""
        return self.png


def is_fer2013_csv(stream: IO[bytes]) -> bool:
    """Return whether a file begins with the three column names, in any order and case."""
    header = stream.readline(1000).decode("utf-8-sig", errors="replace")
    return _positions(header.split(",")) is not None


def count_rows(stream: IO[bytes]) -> int:
    """Return the number of lines after the header."""
    lines, last = 0, b"\n"
    while chunk := stream.read(1 << 20):
        lines += chunk.count(b"\n")
        last = chunk
    return max(lines + (not last.endswith(b"\n")) - 1, 0)


def read_rows(stream: IO[bytes], source: str) -> Iterator[TableRow]:
    """Read the table row by row.

    Args:
        stream: The CSV file; also Kaggle's ``icml_face_data.csv`` with blanks in its header.
        source: Its name in messages.

    Yields:
        A row for each data row, good or bad.

    Raises:
        DataError: The columns are missing.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    reader = csv.reader(text)
    positions = _positions(next(reader, []))
    if positions is None:
        raise DataError(f"{source}: the first line must name the columns emotion, pixels and Usage")
    index = 0
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
            if not any(cells):
                continue
            row = _parse(index, cells, positions)
        except (csv.Error, DataError) as error:
            row = TableRow(index, problem=f"{source}, line {reader.line_num}: {error}")
        yield row
        index += 1


def _positions(header: list[str]) -> tuple[int, ...] | None:
    names = [name.strip().lower() for name in header]
    if not all(column in names for column in _COLUMNS):
        return None
    return tuple(names.index(column) for column in _COLUMNS)


def _parse(index: int, cells: list[str], positions: tuple[int, ...]) -> TableRow:
    if len(cells) <= max(positions):
        raise DataError(f"{len(cells)} columns instead of {len(positions)}")
    emotion, pixels, usage = (cells[position].strip() for position in positions)
    if emotion not in _LABELS:
        raise DataError(f"emotion is {emotion[:20]!r}; it must be 0 to {len(FER2013_CODES) - 1}")
    split = USAGES.get(usage.lower())
    if split is None:
        raise DataError(f"Usage is {usage[:20]!r}; it must be Training, PublicTest or PrivateTest")
    return TableRow(index, split=split, label=_LABELS[emotion], png=_to_png(pixels))


def _to_png(pixels: str) -> bytes:
    cells = pixels.split()
    if len(cells) != SIDE * SIDE:
        raise DataError(f"{len(cells)} pixels instead of {SIDE * SIDE}")
    try:
        values = [int(cell) for cell in cells]
    except ValueError:
        bad = next((cell for cell in cells if not cell.isdecimal()), "a number too long")
        raise DataError(f"a pixel is {bad[:20]!r}, not an integer") from None
    if min(values) < 0 or max(values) > 255:
        raise DataError(f"pixels from {min(values)} to {max(values)}; they must be 0 to 255")
    out = io.BytesIO()
    Image.frombytes("L", (SIDE, SIDE), bytes(values)).save(out, "PNG")
    return out.getvalue()
