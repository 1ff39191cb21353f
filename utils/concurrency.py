"""How the viewers of one server share its processor."""

import threading
from collections import deque
from types import TracebackType

MAX_STREAMS = 8


class Gate:
    """Lets one stream at a time use the processor, in the order of asking, and counts the streams.

    A plain lock may give one thread its turn again and again while others wait.

    Args:
        max_streams: How many streams may run at once.
    """

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        self.max_streams = max_streams
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._busy = False
        self._streams = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._busy:
                self._busy = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False

    @property
    def streams(self) -> int:
        """How many streams run now."""
        return self._streams

    @property
    def waiting(self) -> int:
        """How many streams wait for their turn now."""
        return len(self._waiting)

    def admit(self) -> bool:
        """Count one stream more and return True, unless all places are taken."""
        with self._lock:
            if self._streams >= self.max_streams:
                return False
            self._streams += 1
            return True

    def leave(self) -> None:
        """Give a stream's place back."""
        with self._lock:
            self._streams -= 1
