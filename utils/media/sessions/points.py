"""The points of a session: rows of ``utils.media.tables.rows``, packed for the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Select, select

from utils.media.sessions.tables import PointRow
from utils.media.tables.rows import COLUMNS, Row, columns
from utils.results import Status

# Kind of probability in a row's column names, and the point's column that holds them packed.
_PACKED = {"p": "shown", "raw": "raw"}
_NUMBER = "<f4"
_ROUNDING = 1e-4
# The session itself holds the others.
_SAME = [name for name in COLUMNS if name not in ("image", "model")]
_COLUMNS = (*_SAME, *_PACKED.values())


def pack_point(session_id: int, row: Row) -> dict[str, Any]:
    """Return a row as the values of a point.

    Args:
        session_id: The session it belongs to.
        row: One face of one frame, or a frame without any.
    """
    point = {name: row.get(name) for name in _SAME} | {"session_id": session_id}
    for kind, column in _PACKED.items():
        values = [value for name, value in row.items() if name.startswith(f"{kind}_")]
        point[column] = np.array(values, _NUMBER).tobytes() if values else None
    return point


def points_query(session_id: int) -> Select[Any]:
    """Return the query for the points of a session, ordered by time."""
    query = select(*(getattr(PointRow, name) for name in _COLUMNS))
    return query.where(PointRow.session_id == session_id).order_by(PointRow.time, PointRow.id)


def points_table(
    points: Sequence[Any], classes: Sequence[str], *, constants: Mapping[str, str]
) -> pd.DataFrame:
    """Return points as a table with the columns of ``utils.media.tables.rows``.

    Args:
        points: Rows of :func:`points_query`.
        classes: The session's classes.
        constants: Values of the columns that the session holds: ``image`` and ``model``.

    Raises:
        ValueError: A value is one that no recording writes; the message names the frame's time.
    """
    table = pd.DataFrame(points, columns=list(_COLUMNS)).assign(**constants)
    _check(table, classes)
    for kind, column in _PACKED.items():
        packed = table.pop(column)
        values = _unpack(packed, len(classes))
        shares = ((values >= 0) & (values <= 1 + _ROUNDING)).all(1)
        _refuse(table, column, sound=packed.isna() | shares)
        spread = pd.DataFrame(values, columns=[f"{kind}_{name}" for name in classes])
        table = pd.concat([table, spread], axis=1)
    return table[list(columns(classes))]


def _check(table: pd.DataFrame, classes: Sequence[str]) -> None:
    """Refuse damaged values: they would be drawn and exported as if they had been recorded."""
    for name, kind in COLUMNS.items():
        if kind in (int, float):
            finite = np.isfinite(pd.to_numeric(table[name], errors="coerce").astype(float))
            missing = table[name].isna() & (name != "time")
            _refuse(table, name, sound=finite | missing)
    _refuse(table, "status", sound=table["status"].isin([status.value for status in Status]))
    named = table["emotion"].isna() | table["emotion"].isin(classes)
    _refuse(table, "emotion", sound=named)


def _refuse(table: pd.DataFrame, column: str, *, sound: "pd.Series[bool]") -> None:
    if not sound.all():
        time = table["time"][~sound].iloc[0]
        raise ValueError(f"no recording has the value of {column} at {time} s")


def _unpack(packed: "pd.Series[Any]", count: int) -> NDArray[np.float64]:
    """Return float ``(N, count)``; NaN where there are no probabilities."""
    missing = np.full(count, np.nan, _NUMBER).tobytes()
    parts = [missing if value is None else value for value in packed]
    if any(not isinstance(part, bytes) or len(part) != len(missing) for part in parts):
        raise ValueError("there are too many or too few probabilities")
    return np.frombuffer(b"".join(parts), _NUMBER).reshape(-1, count).astype(float)
