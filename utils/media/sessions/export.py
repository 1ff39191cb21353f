"""A session as a file: CSV, Parquet, JSON or a report, with its markers and the names of faces."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from utils.media.sessions.info import Marker, SessionInfo
from utils.media.sessions.report import as_html
from utils.media.tables.csv_table import CsvTable
from utils.media.tables.parquet import rows_as_parquet as as_parquet
from utils.media.tables.rows import COLUMNS, Row, columns

__all__ = ["as_csv", "as_html", "as_json", "as_parquet", "session_columns", "session_rows"]

PERSON, MARKER = "person", "marker"


def session_columns(classes: Sequence[str], *, markers: bool = True) -> dict[str, type]:
    """Return the columns of an exported session and their types, in order.

    Args:
        classes: Names of the classes.
        markers: Whether there can be markers.
    """
    return columns(classes) | {PERSON: str} | ({MARKER: str} if markers else {})


def session_rows(
    table: pd.DataFrame, markers: Iterable[Marker], names: Mapping[int, str] | None = None
) -> list[Row]:
    """Return a session's table as rows without missing values, each marker in one of them.

    A marker stands in the first row of the frame at its time or next after it, behind the last
    frame in the last row; labels in the same row are joined by ``"; "``. Without frames, each
    marker has a row of its own.

    Args:
        table: Of ``SessionStore.table``, ordered by time.
        markers: Ordered by time.
        names: What users call faces, by ``track_id``; they fill the column ``person``.
    """
    rows = [_typed(row) for row in table.to_dict("records")]
    for row in rows:
        if name := (names or {}).get(row.get("track_id", 0)):
            row[PERSON] = name
    if not rows:
        return [{"time": marker.time, MARKER: marker.label} for marker in markers]
    times = table["time"].to_numpy(float)
    for marker in markers:
        row = rows[min(int(times.searchsorted(marker.time)), len(rows) - 1)]
        row[MARKER] = f"{row[MARKER]}; {marker.label}" if MARKER in row else marker.label
    return rows


def as_csv(rows: Iterable[Row], columns: Mapping[str, type]) -> str:
    """Return a session's rows as CSV text, with the columns of :func:`session_columns`."""
    text = io.StringIO(newline="")
    table = CsvTable(text, list(columns))
    for row in rows:
        table.write(row)
    return text.getvalue()


def as_json(session: SessionInfo, markers: Iterable[Marker], rows: Iterable[Row]) -> str:
    """Return a session with all that is known about it as a JSON document."""
    about: dict[str, Any] = asdict(session)
    about.pop("id")
    about["started"] = session.started.isoformat()
    about["names"] = {str(track): name for track, name in session.names.items()}
    document = {
        "session": about,
        "markers": [{"time": marker.time, "label": marker.label} for marker in markers],
        "rows": [{name: row[name] for name in row if name not in (PERSON, MARKER)} for row in rows],
    }
    return json.dumps(document, indent=1)


def _typed(row: dict[Any, Any]) -> Row:
    """Return a row without missing values; pandas makes numbers with gaps floating-point ones."""
    return {
        name: COLUMNS.get(name, float)(value) for name, value in row.items() if not pd.isna(value)
    }
