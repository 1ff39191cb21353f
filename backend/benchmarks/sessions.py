"""How fast a long recording is written and opened: ``python backend/benchmark.py --session``."""

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.benchmarks.config import BenchmarkSessionConfig
from backend.benchmarks.result import BenchmarkResult
from utils.emotions import EMOTIONS
from utils.media.sessions import SessionStore
from utils.media.timeseries import emotion_shares, face_series, find_gaps, key_moments, track_ids
from utils.results import Face, FrameResult

# The recorder writes the ten frames of a second in two transactions.
_FRAMES_PER_WRITE = 5
_FRAMES_PER_EMOTION = 600


@dataclass(frozen=True)
class SessionBenchmark(BenchmarkResult):
    """How long the steps of a recording's life take.

    Attributes:
        points: Analysed frames of the recording.
        write_seconds: Writing them in small transactions.
        open_seconds: Reading the table.
        charts_seconds: Reducing the table to what the charts show.
    """

    points: int
    write_seconds: float
    open_seconds: float
    charts_seconds: float

    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a JSON document."""
        return asdict(self)


def benchmark_sessions(config: BenchmarkSessionConfig) -> SessionBenchmark:
    """Write a recording of one face into a SQLite file and open it as the Sessions page does."""
    with tempfile.TemporaryDirectory() as folder:
        store = SessionStore(f"sqlite:///{Path(folder) / 'sessions.sqlite'}")
        session = store.create("an hour", "live", model="benchmark", classes=EMOTIONS)
        start = time.perf_counter()
        for first in range(0, config.points, _FRAMES_PER_WRITE):
            last = min(first + _FRAMES_PER_WRITE, config.points)
            store.append(session, [_frame(number) for number in range(first, last)])
        written = time.perf_counter()
        table = store.table(store.sessions()[0])
        read = time.perf_counter()
        for track_id in track_ids(table):
            face_series(table, track_id)
            emotion_shares(table, track_id)
            key_moments(table, track_id)
        find_gaps(table)
        charted = time.perf_counter()
        store.close()
    return SessionBenchmark(
        points=config.points,
        write_seconds=round(written - start, 2),
        open_seconds=round(read - written, 2),
        charts_seconds=round(charted - read, 2),
    )


def _frame(number: int) -> FrameResult:
    emotion = EMOTIONS[number // _FRAMES_PER_EMOTION % len(EMOTIONS)]
    probabilities = {name: 0.88 if name == emotion else 0.02 for name in EMOTIONS}
    face = Face(
        box=(100, 100, 200, 220),
        score=0.99,
        emotion=emotion,
        confidence=0.88,
        uncertain=False,
        probabilities=probabilities,
        raw=probabilities,
        track_id=1,
    )
    return FrameResult(model="benchmark", width=640, height=480, faces=(face,), time=number / 10)
