"""The history of a live stream as a table, which its charts are drawn from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from utils.inference.timeline import TimelineRow


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
        smoothed for the timeline; NaN where there is no face or it can't be classified.
    """
    newest = history[-1].time if history else 0.0
    recent = [row for row in history if newest - row.time <= seconds]
    nothing = np.full(len(classes), np.nan)
    shares = [nothing if row.chart is None else row.chart for row in recent]
    table = pd.DataFrame(
        np.array(shares, float).reshape(-1, len(classes)),
        columns=[f"p_{name}" for name in classes],
    )
    return table.assign(
        time=np.array([row.time - newest for row in recent], float),
        status=[row.status.value for row in recent],
        track_id=np.array([row.track_id for row in recent], float),
    )
