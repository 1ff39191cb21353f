"""From results to messages: their numbers and ages, and the events that follow from the faces."""

import logging
import threading
import time as clock
from collections.abc import Callable, Sequence
from typing import Protocol

from utils.errors import reason_of
from utils.media.live_outputs.frame_clock import FrameClock, utc
from utils.media.live_outputs.messages import (
    EventKind,
    StreamDescription,
    StreamEvent,
    StreamMessage,
)
from utils.results import Failure, FrameResult, Outcome, Status

logger = logging.getLogger(__name__)


class LiveOutput(Protocol):
    """Passes messages on to other programs, without ever making the analysis wait."""

    def send(self, message: StreamMessage, captured: float) -> None:
        """Pass on a message and return at once.

        Args:
            message: The message.
            captured: When its frame was captured or its event happened, in seconds of
                ``time.monotonic``.
        """
        ...

    def close(self) -> None:
        """Pass on what is waiting, for a few seconds at most, and end."""
        ...


class LiveOutputs:
    """Turns the results of one stream into messages for several outputs.

    Safe to share between threads. An output that fails is reported and left out from then on; the
    others go on.

    Args:
        outputs: Where the messages go; closed with this object.
        stream: What the results mean, for the start event.
        report: Receives what goes wrong, as a sentence; called in any thread.
    """

    def __init__(
        self,
        outputs: Sequence[LiveOutput],
        stream: StreamDescription,
        *,
        report: Callable[[str], None],
    ) -> None:
        self._opened, self._outputs = tuple(outputs), list(outputs)
        self._stream, self._report = stream, report
        self._lock = threading.Lock()
        self._clock = FrameClock()
        self._started = False
        self._frame = 0
        self._present: set[int] = set()

    @property
    def closed(self) -> bool:
        """Whether the outputs are closed."""
        return not self._opened

    def write(self, outcome: Outcome, *, arrived: float | None = None) -> None:
        """Pass on the outcome of a frame or image; frames that were not analysed are left out.

        Args:
            outcome: A result or failure.
            arrived: When a live frame arrived, in seconds of ``time.monotonic``; None for files.
        """
        skipped = isinstance(outcome, FrameResult) and outcome.status is Status.SKIPPED
        if skipped or not self._outputs:
            return
        with self._lock:
            self._frame += 1
            if isinstance(outcome, Failure):
                self._start()
                message = StreamMessage(frame=self._frame, error=outcome.error)
            else:
                if self._clock.add(outcome, arrived):
                    self._update_faces(set())
                self._start()
                self._update_faces({face.track_id for face in outcome.faces if face.track_id})
                age = None if arrived is None else round(1000 * (clock.monotonic() - arrived), 1)
                message = StreamMessage(frame=self._frame, age_ms=age, result=outcome)
            self._send(message, self._clock.newest)

    def mark(self, label: str, *, ago: float = 0.0) -> None:
        """Pass on a marker.

        Args:
            label: Its text.
            ago: How many seconds ago the moment was.
        """
        with self._lock:
            self._send_event(EventKind.MARKER, self._clock.now() - ago, label=label)

    def close(self) -> None:
        """End the stream and close the outputs; may be called more than once."""
        with self._lock:
            if self._started:
                self._send_event(EventKind.STOP, self._clock.now())
            opened, self._opened, self._outputs, self._started = self._opened, (), [], False
        for output in opened:
            output.close()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._send_event(EventKind.START, self._clock.newest, stream=self._stream)

    def _update_faces(self, present: set[int]) -> None:
        """Send the events of faces that appeared or left with the newest frame."""
        for track_id in sorted(self._present - present):
            self._send_event(EventKind.FACE_LEAVES, self._clock.newest, track_id=track_id)
        for track_id in sorted(present - self._present):
            self._send_event(EventKind.FACE_APPEARS, self._clock.newest, track_id=track_id)
        self._present = present

    def _send_event(
        self,
        kind: EventKind,
        moment: float,
        *,
        label: str | None = None,
        track_id: int | None = None,
        stream: StreamDescription | None = None,
    ) -> None:
        event = StreamEvent(
            kind=kind,
            time=self._clock.media_time(moment),
            at=utc(moment),
            label=label,
            track_id=track_id,
            stream=stream,
        )
        self._send(StreamMessage(frame=self._frame, event=event), moment)

    def _send(self, message: StreamMessage, captured: float) -> None:
        for output in tuple(self._outputs):
            try:
                output.send(message, captured)
            except Exception as error:
                # Whatever happens to an output must not end the analysis.
                logger.error("a live output failed", exc_info=error)
                self._outputs.remove(output)
                name = type(output).__name__
                self._report(f"{name}: stopped ({reason_of(error)}); the analysis goes on")
