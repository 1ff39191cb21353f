"""A webhook: messages as JSON by HTTP POST, sent by a thread of its own."""

import threading
from collections import deque
from collections.abc import Callable

from utils.media.live_outputs.http_receiver import HttpReceiver, Refusal
from utils.media.live_outputs.messages import StreamMessage

# Messages that wait while the receiver is away, at 15 frames a second for a minute; and how many of
# them one POST carries.
MAX_WAITING, MAX_BATCH = 1000, 100
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.5, 30.0
# What is waiting at the end is tried for this long.
CLOSE_SECONDS = 5.0


class Webhook:
    """Sends messages to an HTTP server; each POST carries those that came since the last one.

    While the server is away, sending is retried less and less often; messages wait, and the oldest
    are dropped and counted when too many do. A POST that the server refuses is not repeated.

    Args:
        url: ``http://`` or ``https://``, with ``user:password@`` if the server asks for them.
        interval: Least seconds between two POSTs.
        report: Receives the first failure and, at the end, the number of lost messages, as
            sentences; called in any thread.

    Raises:
        ConfigError: The URL can't be used.
    """

    def __init__(self, url: str, *, interval: float = 0.0, report: Callable[[str], None]) -> None:
        self._receiver = HttpReceiver(url)
        self._interval, self._report = interval, report
        self._changed = threading.Condition()
        self._waiting: deque[StreamMessage] = deque()
        self._lost = self._underway = 0
        self._closing = self._reported = False
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def send(self, message: StreamMessage, captured: float) -> None:
        """Let a message wait for the next POST."""
        with self._changed:
            if len(self._waiting) == MAX_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(message)
            self._changed.notify_all()

    def close(self) -> None:
        """Send what is waiting, for five seconds at most, and report what was lost."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)
        with self._changed:
            lost = self._lost + self._underway + len(self._waiting)
            self._reported = True  # A POST that fails from now on is part of the count.
        if lost:
            self._report(f"webhook {self._receiver.name}: {lost} messages were not delivered")

    def _run(self) -> None:
        while batch := self._take():
            delivered = self._deliver(batch)
            with self._changed:
                self._lost += 0 if delivered else len(batch)
                self._underway = 0
                if self._closing and not delivered:
                    return
                self._changed.wait_for(lambda: self._closing, self._interval)

    def _take(self) -> list[StreamMessage]:
        """Wait for messages and return the oldest; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            count = min(len(self._waiting), MAX_BATCH)
            batch = [self._waiting.popleft() for _ in range(count)]
            self._underway = count
            return batch

    def _deliver(self, batch: list[StreamMessage]) -> bool:
        """Return whether the server accepted the messages, sooner or later."""
        retry = FIRST_RETRY_SECONDS
        while (refusal := self._receiver.post(self._body(batch))) is not None:
            self._report_once(refusal)
            with self._changed:
                if refusal.final or self._closing:
                    return False
                self._changed.wait_for(lambda: self._closing, retry)
            retry = min(2 * retry, LAST_RETRY_SECONDS)
        return True

    def _body(self, batch: list[StreamMessage]) -> bytes:
        documents = ",".join(message.to_json(dropped=self._lost) for message in batch)
        return f'{{"messages":[{documents}]}}'.encode()

    def _report_once(self, refusal: Refusal) -> None:
        with self._changed:
            first, self._reported = not self._reported, True
        if first:
            then = "check the address" if refusal.final else "sending is retried"
            self._report(
                f"webhook {self._receiver.name}: results can't be delivered ({refusal.reason}); "
                f"{then}, and the analysis goes on"
            )
