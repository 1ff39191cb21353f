"""Results as Parquet files, for tables of millions of rows."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from utils.files import replaced_file
from utils.media.tables.rows import Row, columns, rows
from utils.results import Outcome, parse_document

_CHUNK_ROWS = 20_000
_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int32(), bool: pa.bool_()}


def write_parquet(journal: Path, path: Path, *, classes: Sequence[str]) -> None:
    """Convert results collected as JSON lines to a Parquet file and delete the JSON lines.

    Args:
        journal: The file of JSON lines.
        path: The Parquet file.
        classes: Names of the model's classes, in order.

    Raises:
        OSError: The file can't be written; the journal is kept.
    """
    schema = _schema(columns(classes))
    table_rows = (row for outcome in read_journal(journal) for row in rows(outcome))
    with replaced_file(path) as part, pq.ParquetWriter(part, schema) as writer:
        while chunk := list(islice(table_rows, _CHUNK_ROWS)):
            writer.write_table(
                pa.Table.from_pylist([_with_valid_text(row) for row in chunk], schema)
            )
    journal.unlink()


def as_parquet(outcomes: Iterable[Outcome], classes: Sequence[str]) -> bytes:
    """Return results as the bytes of a Parquet file."""
    table_rows = (row for outcome in outcomes for row in rows(outcome))
    return rows_as_parquet(table_rows, columns(classes))


def rows_as_parquet(table_rows: Iterable[Row], types: Mapping[str, type]) -> bytes:
    """Return rows as the bytes of a Parquet file.

    Args:
        table_rows: Columns without a value are missing.
        types: Each column's type.
    """
    table = [_with_valid_text(row) for row in table_rows]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(table, _schema(types)), file)
    return file.getvalue()


def read_journal(journal: Path) -> Iterator[Outcome]:
    """Yield the results in a file of JSON lines."""
    with journal.open(encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            yield parse_document(json.loads(line))


def _schema(types: Mapping[str, type]) -> pa.Schema:
    return pa.schema([(name, _TYPES[kind]) for name, kind in types.items()])


def _with_valid_text(row: Row) -> Row:
    """Return a row with valid UTF-8 strings, as Parquet requires; file names may contain others."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in row.items()
    }
