"""The points of a session: rows of ``utils.media.tables.rows``, packed for the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from utils.media.tables.rows import COLUMNS, Row, columns

# Kind of probability in a row's column names, and the point's column that holds them packed.
_PACKED = {"p": "shown", "raw": "raw"}
_NUMBER = "<f4"
# The session itself holds the others.
_SAME = [name for name in COLUMNS if name not in ("image", "model")]
POINT_COLUMNS = (*_SAME, *_PACKED.values())


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


def points_table(
    points: Sequence[Any], classes: Sequence[str], *, constants: Mapping[str, str]
) -> pd.DataFrame:
    """Return points as a table with the columns of ``utils.media.tables.rows``.

    Args:
        points: Values of ``POINT_COLUMNS`` each.
        classes: The session's classes.
        constants: Values of the columns that the session holds: ``image`` and ``model``.
    """
    table = pd.DataFrame(points, columns=list(POINT_COLUMNS)).assign(**constants)
    for kind, column in _PACKED.items():
        values = _unpack(table.pop(column), len(classes))
        spread = pd.DataFrame(values, columns=[f"{kind}_{name}" for name in classes])
        table = pd.concat([table, spread], axis=1)
    return table[list(columns(classes))]


def _unpack(packed: "pd.Series[Any]", count: int) -> NDArray[np.float64]:
    """Return float ``(N, count)``; NaN where there are no probabilities."""
    missing = np.full(count, np.nan, _NUMBER).tobytes()
    joined = b"".join(missing if value is None else bytes(value) for value in packed)
    return np.frombuffer(joined, _NUMBER).reshape(-1, count).astype(float)
