"""How fast a long recording is written and opened: ``python backend/benchmark.py --session``."""

import argparse
import tempfile
import time
from pathlib import Path

from utils.emotions import EMOTIONS
from utils.media.sessions import SessionStore
from utils.media.timeseries import emotion_shares, face_series, find_gaps, key_moments, track_ids
from utils.results import Face, FrameResult

POINTS = 36_000  # an hour at ten analyses a second
_AT_ONCE = 5  # as the recorder writes them, twice a second


def benchmark_sessions(options: argparse.Namespace) -> dict[str, object]:
    """Write an hour of one face into a SQLite file and open it as the page does.

    Returns:
        Points, seconds to write them in small transactions, and seconds to read the table and to
        thin it for the charts.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = SessionStore(f"sqlite:///{Path(folder) / 'sessions.sqlite'}")
        number = store.create("an hour", "live", model="benchmark", classes=EMOTIONS)
        began = time.perf_counter()
        for first in range(0, POINTS, _AT_ONCE):
            store.append(number, [_frame(i) for i in range(first, first + _AT_ONCE)])
        written = time.perf_counter()
        table = store.table(store.sessions()[0])
        read = time.perf_counter()
        for track_id in track_ids(table):
            face_series(table, track_id)
            emotion_shares(table, track_id)
            key_moments(table, track_id)
        find_gaps(table)
        thinned = time.perf_counter()
        store.close()
    return {
        "points": POINTS,
        "write_seconds": round(written - began, 2),
        "open_seconds": round(read - written, 2),
        "charts_seconds": round(thinned - read, 2),
    }


def _frame(number: int) -> FrameResult:
    likely = EMOTIONS[number // 600 % len(EMOTIONS)]
    shares = {name: 0.88 if name == likely else 0.02 for name in EMOTIONS}
    face = Face(
        box=(100, 100, 200, 220),
        score=0.99,
        emotion=likely,
        confidence=0.88,
        uncertain=False,
        probabilities=shares,
        raw=shares,
        track_id=1,
    )
    return FrameResult(model="benchmark", width=640, height=480, faces=(face,), time=number / 10)
