"""Writes a live stream into a session, without ever making the stream wait."""

import threading
import time as clock
from collections import deque

from utils.errors import DatabaseError
from utils.media.sessions.store import SessionStore
from utils.results import FrameResult

# A crash loses at most so much.
FLUSH_SECONDS = 0.5
# A recording that gets no frames lets its thread go; with the next frame it has a new one.
IDLE_SECONDS = 30.0
# While the database can't be written, so many frames wait: ten minutes at 15 a second.
MAX_WAITING = 9000


class Recorder:
    """Collects results and writes them twice a second. Safe to share between threads.

    A database that is locked or full is tried again; what it can't take meanwhile waits, and beyond
    ten minutes the oldest frames are dropped and counted.

    Args:
        store: The database.
        session_id: The session to write into.
    """

    def __init__(self, store: SessionStore, session_id: int) -> None:
        self._store = store
        self.session_id = session_id
        self._waiting: deque[FrameResult] = deque(maxlen=MAX_WAITING)
        self._first: float | None = None
        self._time = self._newest = 0.0
        self._lost = self._written = 0
        self._error: str | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        """Time of the newest frame, from the first one."""
        return self._time

    @property
    def frames(self) -> int:
        """Frames that are in the database."""
        return self._written

    @property
    def problem(self) -> str | None:
        """Why nothing is written at the moment, in a sentence; None while all is well."""
        if self._error and self._lost:
            return f"{self._error} {self._lost} frames were lost."
        return self._error

    def put(self, result: FrameResult) -> None:
        """Take an analysed frame; returns at once.

        Args:
            result: Its ``time`` is media time; the session's begins with the first frame. A stream
                that begins again goes on where it was.
        """
        with self._lock:
            if self._stopped.is_set():
                return
            time = result.time or 0.0
            if self._first is None or time - self._first < self._time - 1:
                self._first = time - self._time
            self._time = max(self._time, time - self._first)
            self._lost += len(self._waiting) == MAX_WAITING
            self._waiting.append(result.model_copy(update={"time": round(self._time, 4)}))
            self._newest = clock.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()

    def mark(self, words: str) -> None:
        """Name this moment.

        Raises:
            DatabaseError: It can't be written.
        """
        self._store.mark(self.session_id, self._time, words)

    def stop(self) -> None:
        """Write the rest and end; may be called twice."""
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
            # Frames that came meanwhile are at the end; overflow may have taken some of ours.
            written = {id(result) for result in results}
            while self._waiting and id(self._waiting[0]) in written:
                self._waiting.popleft()
