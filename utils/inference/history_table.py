"""The history of a live stream as a table, which its charts are drawn from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.inference.timeline import TimelineRow
from utils.inference.tracking.tracker import match_boxes

# A face that vanished and one that appears in its place within this many seconds are the same
# person for a chart.
RETURN_SECONDS = 10.0
_MIN_OVERLAP = 0.2


def history_table(
    history: Sequence[TimelineRow], classes: Sequence[str], *, seconds: float
) -> pd.DataFrame:
    """Return a live stream's history as a table like that of a recording.

    Args:
        history: All faces' rows, oldest first.
        classes: Names of the classes, in the order of the probabilities.
        seconds: How far back the table goes.

    Returns:
        ``time`` in seconds before the newest row (≤ 0), ``status``, ``track_id``, and ``p_<class>``
        smoothed for the timeline; NaN where there is no face or it can't be classified. A face that
        was lost and found again has the newest of its ``track_id`` throughout.
    """
    newest = history[-1].time if history else 0.0
    recent = [row for row in history if newest - row.time <= seconds]
    nothing = np.full(len(classes), np.nan)
    shares = [nothing if row.chart is None else row.chart for row in recent]
    table = pd.DataFrame(
        np.array(shares, float).reshape(-1, len(classes)),
        columns=[f"p_{name}" for name in classes],
    )
    newest_ids = _newest_ids(recent)
    return table.assign(
        time=np.array([row.time - newest for row in recent], float),
        status=[row.status.value for row in recent],
        track_id=np.array([newest_ids.get(row.track_id) for row in recent], float),
    )


def _newest_ids(rows: Sequence[TimelineRow]) -> dict[int | None, int]:
    """Return for each ``track_id`` the newest one of the same person."""
    first: dict[int, TimelineRow] = {}
    last: dict[int, TimelineRow] = {}
    for row in rows:
        if row.track_id is not None:
            first.setdefault(row.track_id, row)
            last[row.track_id] = row
    newest: dict[int | None, int] = {}
    for track_id, found in first.items():
        free = [
            other
            for other, row in last.items()
            if newest.get(other) == other and 0 < found.time - row.time <= RETURN_SECONDS
        ]
        if (lost := _same_place(found, [last[other] for other in free])) is not None:
            old = free[lost]
            newest |= {other: track_id for other, name in newest.items() if name == old}
        newest[track_id] = track_id
    return newest


def _same_place(found: TimelineRow, lost: Sequence[TimelineRow]) -> int | None:
    """Return which lost face was where another one appears; None if none was."""
    boxes = [row.box for row in lost if row.box is not None]
    if found.box is None or len(boxes) < len(lost):
        return None
    return match_boxes(boxes, found.box[None], min_overlap=_MIN_OVERLAP).get(0)
