"""When the frame of a result was captured, and what the media time of a moment is."""

import time as clock
from datetime import datetime, timedelta, timezone

from utils.results import FrameResult


class FrameClock:
    """Maps the frames of a stream to ``time.monotonic``.

    A live frame counts as captured when it arrived. The frames of a file have the distances of
    their media times, counted from the moment at which the first one was analysed. An image counts
    as captured now.

    Attributes:
        newest: When the newest frame was captured, in seconds of ``time.monotonic``.
    """

    def __init__(self) -> None:
        self.newest = clock.monotonic()
        self._source: str | None = None
        self._time: float | None = None
        self._live = False
        self._began = 0.0

    def add(self, result: FrameResult, arrived: float | None) -> bool:
        """Make the frame of a result the newest one.

        Args:
            result: The result.
            arrived: When a live frame arrived, in seconds of ``time.monotonic``; None for files.

        Returns:
            Whether the frame is the first of its source.
        """
        time = result.time
        continues = time is not None and self._time is not None and time >= self._time
        is_first = not continues or result.image != self._source
        if is_first:
            self._began = clock.monotonic() - (time or 0.0)
        self._source, self._time, self._live = result.image, time, arrived is not None
        self.newest = self._began + (time or 0.0) if arrived is None else arrived
        return is_first

    def now(self) -> float:
        """Return this moment in seconds of ``time.monotonic``; in a file, its last frame's."""
        return clock.monotonic() if self._live else self.newest

    def media_time(self, moment: float) -> float | None:
        """Return the media time in seconds of a moment of ``time.monotonic``; None among images."""
        return None if self._time is None else round(self._time + moment - self.newest, 4)


def utc(moment: float) -> datetime:
    """Return the time of day in UTC of a moment of ``time.monotonic``."""
    return datetime.now(timezone.utc) - timedelta(seconds=clock.monotonic() - moment)
