"""Writes a live stream into a session, without ever making the stream wait."""

import threading
import time as clock
from collections import deque

from utils.errors import DatabaseError
from utils.media.sessions.store import SessionStore
from utils.results import FrameResult

# A crash loses at most this much.
FLUSH_SECONDS = 0.5
# The thread of a recording without frames ends; the next frame starts a new one.
IDLE_SECONDS = 30.0
# Frames that wait while the database can't be written: ten minutes at 15 frames a second.
MAX_WAITING = 9000


class Recorder:
    """Collects results and writes them twice a second. Safe to share between threads.

    If the database is locked or full, writing is retried. Results wait meanwhile; beyond ten
    minutes the oldest are dropped and counted.

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
            self._time = max(self._time, time - self._first)
            self._dropped += len(self._waiting) == MAX_WAITING
            self._waiting.append(result.model_copy(update={"time": round(self._time, 4)}))
            self._newest = clock.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()

    def mark(self, label: str) -> None:
        """Label this moment.

        Raises:
            DatabaseError: The marker can't be written.
        """
        self._store.mark(self.session_id, self._time, label=label)

    def stop(self) -> None:
        """Write what is waiting and stop; may be called more than once."""
        self._stopped.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(FLUSH_SECONDS):
            self._flush()
            with self._lock:
                if clock.monotonic() - self._newest > IDLE_SECONDS:
                    self._thread = None
                    return
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            results = list(self._waiting)
        if not results:
            return
        try:
            self._store.append(self.session_id, results)
        except DatabaseError as error:
            self._error = str(error)
            return
        self._error = None
        self._written += len(results)
        with self._lock:
            # Newer frames are at the end; overflow may have dropped some that were just written.
            written = {id(result) for result in results}
            while self._waiting and id(self._waiting[0]) in written:
                self._waiting.popleft()
