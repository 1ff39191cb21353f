"""CSV tables: every text comes back, and a spreadsheet calculates none of them."""

import csv
import io

import pytest
from hostile_names import HOSTILE

from utils.media.tables.csv_table import CsvTable, quote_cell, read_rows, unquote_cell


def written(texts: list[str]) -> str:
    file = io.StringIO(newline="")
    table = CsvTable(file, ["number", "text"])
    for number, text in enumerate(texts):
        table.write({"number": number, "text": text})
    return file.getvalue()


def test_every_text_comes_back() -> None:
    data = written(HOSTILE).encode("utf-8", "surrogateescape")
    table = list(read_rows(io.BytesIO(data)))
    assert [row for row, _ in table] == [
        ["number", "text"],
        *([str(number), text] for number, text in enumerate(HOSTILE)),
    ]
    starts = [start for _, start in table]
    assert [data[start:].split(b",")[0] for start in starts[1:]] == [
        str(number).encode() for number in range(len(HOSTILE))
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_calculated(text: str) -> None:
    quoted = quote_cell(text)
    assert len(quoted) < 2 or quoted[0] not in "=+-@\t\r\uff1d"
    assert unquote_cell(quoted) == text


def test_different_texts_stay_different() -> None:
    assert len({quote_cell(text) for text in HOSTILE}) == len(HOSTILE)


def test_numbers_stay_numbers_and_lines_end_with_a_line_feed() -> None:
    file = io.StringIO(newline="")
    CsvTable(file, ["x", "y"]).write({"x": -1.5})
    assert file.getvalue() == "x,y\n-1.5,\n"


def test_other_programs_read_the_same() -> None:
    rows = list(csv.reader(io.StringIO(written(HOSTILE), newline="")))
    assert [text for _, text in rows[1:]] == [quote_cell(text) for text in HOSTILE]
