"""Results over time as a table: per face, with gaps kept as gaps, thinned for display."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from utils.media.rows import columns, rows
from utils.results import Outcome

# A line is broken where a face was not seen for so many seconds.
GAP_SECONDS = 1.0
MIN_SHOWN = 4


def results_table(outcomes: Iterable[Outcome], classes: Sequence[str]) -> pd.DataFrame:
    """Return results as a table with the columns of ``utils.media.rows``."""
    return pd.DataFrame(
        [row for outcome in outcomes for row in rows(outcome)], columns=list(columns(classes))
    )


def track_ids(table: pd.DataFrame, fewest: int = MIN_SHOWN) -> list[int]:
    """Return the ``track_id`` of each face that has at least so many rows, in order."""
    counts = table["track_id"].dropna().astype(int).value_counts()
    return sorted(int(track) for track, count in counts.items() if count >= fewest)


def face_series(table: pd.DataFrame, track_id: int, most: int = 600) -> pd.DataFrame:
    """Return one face's rows for a chart.

    Rows in which the face can't be read have no probabilities, and where it was out of sight a row
    without any is put in, so that lines break there. Longer tables are thinned by taking means over
    equal spans of time.

    Args:
        table: All rows.
        track_id: Which face.
        most: Rows to be left at most, apart from those of the gaps.
    """
    shares = [name for name in table.columns if str(name).startswith("p_")]
    line = table.loc[table["track_id"] == track_id, ["time", "status", *shares]].copy()
    line.loc[line["status"] == "low_quality", shares] = np.nan
    line = line[["time", *shares]].astype(float).sort_values("time")
    if len(line) > most:
        span = np.minimum((np.arange(len(line)) * most) // len(line), most - 1)
        line = line.groupby(span).mean()
    return _with_gaps(line.reset_index(drop=True), shares)


def _with_gaps(line: pd.DataFrame, shares: list[str]) -> pd.DataFrame:
    steps = line["time"].diff()
    usual = float(steps.median()) if len(line) > 1 else 0.0
    late = line.index[steps > max(GAP_SECONDS, 3 * usual)]
    if not len(late):
        return line
    breaks = pd.DataFrame({"time": (line["time"].shift()[late] + 1e-3).to_numpy()})
    breaks[shares] = np.nan
    return pd.concat([line, breaks]).sort_values("time", kind="stable").reset_index(drop=True)


def find_gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Return the spans of time without a readable face: ``start``, ``end`` and ``reason``.

    Args:
        table: All rows, one or more for each analysed frame.
    """
    frames = table.dropna(subset=["time"]).groupby("time", sort=True)["status"].agg(set)
    seen = frames.map(lambda found: bool(found & {"ok", "uncertain"}))
    reason = frames.map(lambda found: sorted(found)[0]).where(~seen)
    block = (reason.fillna("") != reason.fillna("").shift()).cumsum()
    spans = [
        {"start": part.index[0], "end": part.index[-1], "reason": part.iloc[0]}
        for _, part in reason.groupby(block)
        if isinstance(part.iloc[0], str)
    ]
    return pd.DataFrame(spans, columns=["start", "end", "reason"])


def emotion_shares(table: pd.DataFrame, track_id: int) -> pd.Series:
    """Return the share of each answer among a face's rows; unreadable ones count as ``unclear``."""
    own = table[table["track_id"] == track_id]
    answer = own["emotion"].where(own["status"] == "ok", "unclear")
    return answer.value_counts(normalize=True)


def key_moments(table: pd.DataFrame, track_id: int, count: int = 5) -> list[tuple[float, str, str]]:
    """Return a face's largest changes as (time, expression before, expression after), by time.

    The answers of half a second before and after are compared.

    Args:
        table: All rows.
        track_id: Which face.
        count: How many at most.
    """
    line = face_series(table, track_id, most=2000).dropna()
    shares = [name for name in line.columns if name != "time"]
    times, values = line["time"].to_numpy(), line[shares].to_numpy()
    found: list[tuple[float, float, str, str]] = []
    for i, time in enumerate(times):
        before = values[(times >= time - 0.5) & (times < time)]
        after = values[(times >= time) & (times < time + 0.5)]
        if len(before) and len(after):
            first, second = before.mean(0), after.mean(0)
            if first.argmax() != second.argmax():
                change = float(np.abs(first - second).sum() / 2)
                names = (str(shares[k.argmax()])[2:] for k in (first, second))
                found.append((change, float(times[i]), *names))  # type: ignore[arg-type]
    chosen: list[tuple[float, str, str]] = []
    for _, time, old, new in sorted(found, reverse=True):
        if len(chosen) < count and all(abs(time - other[0]) > 1.0 for other in chosen):
            chosen.append((time, old, new))
    return sorted(chosen)
