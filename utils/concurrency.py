"""How work that runs in parallel shares processor and memory; a stream keeps its newest frame."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, TypeVar

from utils.defaults import MAX_STREAMS

T = TypeVar("T")


class FairLock:
    """A lock that is granted in the order of asking; to be used with ``with``.

    ``threading.Lock`` may be granted to the same thread again and again while others wait.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: deque[threading.Event] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._turns.append(turn)
        turn.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:
            if self._turns:
                self._turns.popleft().set()
            else:
                self._held = False

    @property
    def waiting(self) -> int:
        """Number of threads that wait for the lock."""
        return len(self._turns)


class StreamLimit:
    """Limits how many live streams run at once; safe to share between threads.

    Args:
        max_streams: Number of streams that may run at once.

    Attributes:
        max_streams: As given.
    """

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        self.max_streams = max_streams
        self._guard = threading.Lock()
        self._running = 0

    @property
    def running(self) -> int:
        """Number of streams that run now."""
        return self._running

    def acquire(self) -> bool:
        """Count one more stream and return True; return False if the limit is reached."""
        with self._guard:
            if self._running >= self.max_streams:
                return False
            self._running += 1
            return True

    def release(self) -> None:
        """Count one stream less.

        Raises:
            RuntimeError: No stream is running.
        """
        with self._guard:
            if self._running == 0:
                raise RuntimeError("no stream is running; each release needs an acquire before it")
            self._running -= 1


class MemoryBudget:
    """Limits how many bytes are in use at once; safe to share between threads.

    Those who wait are granted their bytes in the order of asking, so that a large item is not
    overtaken for ever by small ones. An item that is larger than the whole budget is let in alone.

    Args:
        limit: Bytes that may be in use at once.

    Attributes:
        limit: As given.

    Raises:
        ValueError: The limit is not positive.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a memory budget has at least one byte, not {limit}")
        self.limit = limit
        self._changed = threading.Condition()
        self._turns: deque[object] = deque()
        self._in_use = 0

    @property
    def in_use(self) -> int:
        """Number of bytes in use now."""
        return self._in_use

    def acquire(self, size: int, *, timeout: float | None = None) -> bool:
        """Take bytes from the budget; each call needs a :meth:`release` of as many bytes.

        Args:
            size: Number of bytes.
            timeout: Seconds to wait for them; None waits as long as it takes, 0 does not wait.

        Returns:
            Whether they were granted in time.

        Raises:
            ValueError: The size is negative.
        """
        if size < 0:
            raise ValueError(f"a negative number of bytes: {size}")
        turn = object()
        with self._changed:
            self._turns.append(turn)
            try:
                granted = self._changed.wait_for(
                    lambda: self._turns[0] is turn and self._fits(size), timeout
                )
                self._in_use += size if granted else 0
                return granted
            finally:
                self._turns.remove(turn)
                self._changed.notify_all()

    def release(self, size: int) -> None:
        """Give bytes back.

        Raises:
            RuntimeError: More bytes than are in use.
        """
        with self._changed:
            if size > self._in_use:
                raise RuntimeError(f"{size} bytes released, but only {self._in_use} are in use")
            self._in_use -= size
            self._changed.notify_all()

    @contextmanager
    def reserve(self, size: int, *, timeout: float | None = None) -> Iterator[None]:
        """Hold bytes inside a ``with`` block; the arguments are those of :meth:`acquire`.

        Raises:
            TimeoutError: The bytes were not granted in time.
        """
        if not self.acquire(size, timeout=timeout):
            raise TimeoutError(f"{size} bytes are more than the budget has left")
        try:
            yield
        finally:
            self.release(size)

    def _fits(self, size: int) -> bool:
        return self._in_use == 0 or self._in_use + size <= self.limit


class NewestSlot(Generic[T]):
    """Holds the newest item that waits to be processed; a newer one takes its place.

    Not safe to share between threads: its owner holds a lock or uses it from one event loop.

    Attributes:
        overtaken: Number of items that were replaced before anyone took them.
    """

    def __init__(self) -> None:
        self.overtaken = 0
        self._item: T | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no item is waiting."""
        return self._item is None

    def put(self, item: T) -> T | None:
        """Let an item wait, and return the one that it overtakes; None if none is waiting."""
        overtaken, self._item = self._item, item
        self.overtaken += overtaken is not None
        return overtaken

    def take(self) -> T | None:
        """Remove and return the waiting item; None if there is none."""
        item, self._item = self._item, None
        return item

    def clear(self) -> None:
        """Drop the waiting item without counting it as overtaken."""
        self._item = None
