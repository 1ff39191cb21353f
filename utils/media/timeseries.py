"""Results over time as a table: per face, with gaps kept as gaps, thinned for display."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from utils.defaults import MIN_FRAMES
from utils.media.tables.rows import columns, rows
from utils.media.video_summary import UNCERTAIN, prediction_shares
from utils.results import Outcome, Status

# See :func:`gap_limit`.
GAP_SECONDS, GAP_STEPS = 1.0, 3.0
# Rows this many seconds before and after a moment are compared in :func:`key_moments`.
_WINDOW = 0.5
# Two key moments are further apart than this many seconds.
_MIN_DISTANCE = 1.0


def results_table(outcomes: Iterable[Outcome], classes: Sequence[str]) -> pd.DataFrame:
    """Return results as a table with the columns of ``utils.media.tables.rows``."""
    return pd.DataFrame(
        [row for outcome in outcomes for row in rows(outcome)], columns=list(columns(classes))
    )


def gap_limit(times: ArrayLike) -> float:
    """Return the time in seconds between two rows of a face above which its line is broken.

    That is one second, or three times the usual step where analyses are further apart than a third
    of a second: a slow machine, or every N-th frame of a video, is no absence of the face.

    Args:
        times: Ascending times of the face's rows in seconds.
    """
    steps = np.diff(np.asarray(times, np.float64))
    usual = float(np.median(steps)) if len(steps) else 0.0
    return max(GAP_SECONDS, GAP_STEPS * usual)


def track_ids(table: pd.DataFrame) -> list[int]:
    """Return the ``track_id`` of each face, in order; those that ``VideoSummary`` counts too."""
    counts = table["track_id"].dropna().astype(int).value_counts()
    least = min(MIN_FRAMES, table["time"].nunique())
    return sorted(int(track) for track, count in counts.items() if count >= least)


def face_series(table: pd.DataFrame, track_id: int, *, max_rows: int = 600) -> pd.DataFrame:
    """Return the rows of one face for a chart: ``time`` and the ``p_<class>`` columns.

    Rows with a problem have no probabilities, and where the face was away a row without any is
    inserted, so that lines break there. Longer tables are thinned by means over equal spans of
    rows.

    Args:
        table: All rows.
        track_id: Which face.
        max_rows: Largest number of rows, not counting those inserted into gaps.
    """
    shares = [name for name in table.columns if str(name).startswith("p_")]
    line = table.loc[table["track_id"] == track_id, ["time", "status", *shares]].copy()
    line.loc[line["status"] == Status.LOW_QUALITY.value, shares] = np.nan
    line = line[["time", *shares]].astype(float).sort_values("time")
    return _with_gaps(_thinned(line, max_rows), shares)


def group_series(table: pd.DataFrame, *, max_rows: int = 600) -> pd.DataFrame:
    """Return all faces together over time, for a chart.

    Args:
        table: All rows.
        max_rows: Largest number of rows, not counting those inserted into gaps.

    Returns:
        Columns ``time``, ``faces`` (how many are in view) and ``p_<class>``: the mean over the
        faces that can be classified; without values where there is none.
    """
    shares = [name for name in table.columns if str(name).startswith("p_")]
    rows = table[["time", "status", "track_id", *shares]].copy()
    rows.loc[rows["status"] == Status.LOW_QUALITY.value, shares] = np.nan
    frames = rows.drop(columns="status").astype(float).groupby("time", sort=True)
    line = frames[shares].mean().assign(faces=frames["track_id"].count()).reset_index()
    return _with_gaps(_thinned(line, max_rows), shares)


def _thinned(line: pd.DataFrame, max_rows: int) -> pd.DataFrame:
    """Return at most so many rows: means over equal spans of rows."""
    if len(line) > max_rows:
        span = np.minimum((np.arange(len(line)) * max_rows) // len(line), max_rows - 1)
        line = line.groupby(span).mean()
    return line.reset_index(drop=True)


def _with_gaps(line: pd.DataFrame, shares: list[str]) -> pd.DataFrame:
    late = line.index[line["time"].diff() > gap_limit(line["time"].to_numpy())]
    if not len(late):
        return line
    breaks = pd.DataFrame({"time": (line["time"].shift()[late] + 1e-3).to_numpy()})
    breaks[shares] = np.nan
    return pd.concat([line, breaks]).sort_values("time", kind="stable").reset_index(drop=True)


def find_gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Return the spans of time in which no face was classified.

    Args:
        table: All rows, one or more for each analysed frame.

    Returns:
        Columns ``start`` and ``end`` in seconds, and ``reason``, a value of :class:`Status`.
    """
    frames = table.dropna(subset=["time"]).groupby("time", sort=True)["status"].agg(set)
    classified = {Status.OK.value, Status.UNCERTAIN.value}
    seen = frames.map(lambda statuses: bool(statuses & classified))
    reason = frames.map(_gap_reason).where(~seen)
    block = (reason.fillna("") != reason.fillna("").shift()).cumsum()
    spans = [
        {"start": part.index[0], "end": part.index[-1], "reason": part.iloc[0]}
        for _, part in reason.groupby(block)
        if isinstance(part.iloc[0], str)
    ]
    return pd.DataFrame(spans, columns=["start", "end", "reason"])


def _gap_reason(statuses: set[str]) -> str:
    """Return the status of a frame without a classified face, from those of its rows."""
    if Status.LOW_QUALITY.value in statuses:
        return Status.LOW_QUALITY.value
    return min(statuses)  # without a face there is one row


def emotion_shares(table: pd.DataFrame, track_id: int) -> dict[str, float]:
    """Return the share of each emotion among a face's rows, the largest first.

    All rows but those with the status ``ok`` count as ``uncertain``.
    """
    face = table[table["track_id"] == track_id]
    emotions = face["emotion"].where(face["status"] == Status.OK.value, UNCERTAIN)
    return prediction_shares(Counter(emotions))


class KeyMoment(NamedTuple):
    """A moment at which a face's expression changes.

    Attributes:
        time: Media time in seconds.
        before: The most probable expression before it.
        after: The most probable expression after it.
    """

    time: float
    before: str
    after: str


def key_moments(table: pd.DataFrame, track_id: int, *, count: int = 5) -> list[KeyMoment]:
    """Return the largest changes of a face's expression, in order of time.

    Mean probabilities of the half seconds before and after a moment are compared.

    Args:
        table: All rows.
        track_id: Which face.
        count: Largest number of moments.
    """
    line = face_series(table, track_id, max_rows=2000).dropna()
    shares = [name for name in line.columns if name != "time"]
    changes = _changes(
        line["time"].to_numpy(), line[shares].to_numpy(), [str(n)[2:] for n in shares]
    )
    chosen: list[KeyMoment] = []
    for _, moment in sorted(changes, reverse=True):
        apart = all(abs(moment.time - other.time) > _MIN_DISTANCE for other in chosen)
        if len(chosen) < count and apart:
            chosen.append(moment)
    return sorted(chosen)


def _changes(
    times: NDArray[np.float64], values: NDArray[np.float64], names: Sequence[str]
) -> Iterator[tuple[float, KeyMoment]]:
    """Yield the moments at which the most probable class changes, with the size of the change.

    The size is the total variation distance, 0 to 1.
    """
    for time in times.tolist():
        before = values[(times >= time - _WINDOW) & (times < time)]
        after = values[(times >= time) & (times < time + _WINDOW)]
        if not len(before) or not len(after):
            continue
        first, second = before.mean(0), after.mean(0)
        if first.argmax() != second.argmax():
            moment = KeyMoment(time, names[first.argmax()], names[second.argmax()])
            yield float(np.abs(first - second).sum() / 2), moment
