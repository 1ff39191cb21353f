"""A session as a file: CSV, Parquet or JSON, with its markers."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from utils.media.sessions.info import Marker, SessionInfo
from utils.media.tables.csv_table import CsvTable
from utils.media.tables.parquet import rows_as_parquet
from utils.media.tables.rows import COLUMNS, Row, columns

MARKER = "marker"


def session_columns(classes: Sequence[str]) -> dict[str, type]:
    """Return the columns of an exported session and their types, in order."""
    return columns(classes) | {MARKER: str}


def session_rows(table: pd.DataFrame, markers: Iterable[Marker]) -> list[Row]:
    """Return a session's table as rows without missing values, each marker in one of them.

    A marker stands in the first row of the frame at its time or next after it, behind the last
    frame in the last row; labels in the same row are joined by ``"; "``. Without frames, each
    marker has a row of its own.

    Args:
        table: Of ``SessionStore.table``, ordered by time.
        markers: Ordered by time.
    """
    rows = [_typed(row) for row in table.to_dict("records")]
    if not rows:
        return [{"time": marker.time, MARKER: marker.label} for marker in markers]
    times = table["time"].to_numpy(float)
    for marker in markers:
        row = rows[min(int(times.searchsorted(marker.time)), len(rows) - 1)]
        row[MARKER] = f"{row[MARKER]}; {marker.label}" if MARKER in row else marker.label
    return rows


def as_csv(rows: Iterable[Row], classes: Sequence[str]) -> str:
    """Return a session's rows as CSV text."""
    text = io.StringIO(newline="")
    table = CsvTable(text, list(session_columns(classes)))
    for row in rows:
        table.write(row)
    return text.getvalue()


def as_parquet(rows: Iterable[Row], classes: Sequence[str]) -> bytes:
    """Return a session's rows as the bytes of a Parquet file."""
    return rows_as_parquet(rows, session_columns(classes))


def as_json(session: SessionInfo, markers: Iterable[Marker], rows: Iterable[Row]) -> str:
    """Return a session with all that is known about it as a JSON document."""
    about: dict[str, Any] = asdict(session)
    about.pop("id")
    about["started"] = session.started.isoformat()
    document = {
        "session": about,
        "markers": [{"time": marker.time, "label": marker.label} for marker in markers],
        "rows": [{name: row[name] for name in row if name != MARKER} for row in rows],
    }
    return json.dumps(document, indent=1)


def _typed(row: dict[Any, Any]) -> Row:
    """Return a row without missing values; pandas makes numbers with gaps floating-point ones."""
    return {
        name: COLUMNS.get(name, float)(value) for name, value in row.items() if not pd.isna(value)
    }
