"""Writes a live stream into a session, without ever making the stream wait."""

import threading
import time as clock
from collections import deque
from typing import NamedTuple

from utils.errors import DatabaseError
from utils.media.sessions.info import SessionDeletedError
from utils.media.sessions.store import SessionStore
from utils.results import FrameResult

# A crash loses at most this much.
FLUSH_SECONDS = 0.5
# The thread of a recording without frames ends; the next frame starts a new one.
IDLE_SECONDS = 30.0
# Frames that wait while the database can't be written: ten minutes at 15 frames a second.
MAX_WAITING = 9000
# A recording that was stopped, or whose stream ended, keeps trying to save for this long.
RETRY_SECONDS = 600.0
# For this long, stopping waits for what is not saved yet.
STOP_SECONDS = 3.0


class _Batch(NamedTuple):
    """What is written in one transaction, and after an error again, unchanged."""

    results: tuple[FrameResult, ...]
    markers: tuple[tuple[float, str], ...]


class Recorder:
    """Collects results and writes them twice a second. Safe to share between threads.

    While the database is locked, full or away, writing is retried. Results wait meanwhile; beyond
    ten minutes the oldest are dropped and counted.

    Args:
        store: The database.
        session_id: The session to write into.

    Attributes:
        session_id: The session that is written into.
    """

    def __init__(self, store: SessionStore, session_id: int) -> None:
        self._store = store
        self.session_id = session_id
        self._waiting: deque[FrameResult] = deque(maxlen=MAX_WAITING)
        self._markers: list[tuple[float, str]] = []
        self._batch = _Batch((), ())
        self._doubtful = False
        self._first: float | None = None
        self._time = self._newest = 0.0
        self._dropped = self._written = 0
        self._error: str | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        """Time of the newest frame, counted from the first."""
        return self._time

    @property
    def frames(self) -> int:
        """Number of frames in the database."""
        return self._written

    @property
    def waiting(self) -> int:
        """Number of frames and markers that are not in the database yet."""
        with self._lock:
            return sum(map(len, (*self._batch, self._waiting, self._markers)))

    @property
    def saving(self) -> bool:
        """Whether waiting frames are being saved, or will be."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def problem(self) -> str | None:
        """Why nothing can be written at the moment, in a sentence; None while writing works."""
        if self._error and self._dropped:
            return f"{self._error} {self._dropped} frames were lost."
        return self._error

    def put(self, result: FrameResult) -> None:
        """Queue an analysed frame and return at once.

        Args:
            result: Its ``time`` is media time; the session's time starts with the first frame. A
                restarted stream continues where the session ended.
        """
        with self._lock:
            if self._stopped.is_set():
                return
            time = result.time or 0.0
            if self._first is None or time - self._first < self._time - 1:
                self._first = time - self._time
            self._time = round(max(self._time, time - self._first), 4)
            self._dropped += len(self._waiting) == MAX_WAITING
            self._waiting.append(result.model_copy(update={"time": self._time}))
            self._start_thread()

    def mark(self, label: str, *, after: float = 0.0) -> None:
        """Label a moment and return at once; the marker is saved with the frames.

        Args:
            label: The text.
            after: How many seconds after the newest frame the moment was; may be negative.
        """
        with self._lock:
            if not self._stopped.is_set():
                self._markers.append((round(max(self._time + after, 0.0), 4), label))
                self._start_thread()

    def stop(self) -> None:
        """Take no further frames and save what is waiting; may be called more than once.

        Waits for that at most ``STOP_SECONDS``; saving goes on in the background.
        """
        self._stopped.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _start_thread(self) -> None:
        self._newest = clock.monotonic()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(FLUSH_SECONDS):
            saved = self._flush()
            with self._lock:
                if self._is_idle(IDLE_SECONDS if saved else RETRY_SECONDS):
                    self._thread = None
                    return
        with self._lock:
            self._newest = clock.monotonic()
        while self.waiting and not self._is_idle(RETRY_SECONDS):
            if not self._flush():
                clock.sleep(FLUSH_SECONDS)

    def _is_idle(self, seconds: float) -> bool:
        return clock.monotonic() - self._newest > seconds

    def _flush(self) -> bool:
        """Write what is waiting; return whether that succeeded."""
        batch = self._next_batch()
        if not any(batch):
            return True
        try:
            if not (self._doubtful and self._is_written(batch)):
                self._store.append(self.session_id, batch.results, markers=batch.markers)
        except SessionDeletedError as error:
            self._error = f"{error} The recording has ended."
            self._give_up()
            return True
        except DatabaseError as error:
            self._doubtful, self._error = True, str(error)
            return False
        with self._lock:
            self._batch = _Batch((), ())
        self._doubtful, self._error = False, None
        self._written += len(batch.results)
        return True

    def _next_batch(self) -> _Batch:
        """Return the batch that failed, or else all that is waiting."""
        with self._lock:
            if not any(self._batch):
                self._batch = _Batch(tuple(self._waiting), tuple(self._markers))
                self._waiting.clear()
                self._markers.clear()
            return self._batch

    def _is_written(self, batch: _Batch) -> bool:
        # A commit may succeed although its answer is lost with the connection.
        times = [result.time or 0.0 for result in batch.results]
        return bool(times) and self._store.holds(self.session_id, times[-1])

    def _give_up(self) -> None:
        self._stopped.set()
        with self._lock:
            self._batch = _Batch((), ())
            self._waiting.clear()
            self._markers.clear()
