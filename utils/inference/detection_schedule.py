"""When a stream's faces are searched for again; in between their tracks carry the boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from utils.inference.tracking import Track

# Seconds from one search to the next: for faces that keep still, and where there is nobody or a
# new face that only one search has found so far.
STILL, UNSURE = 0.25, 0.1
# A face that moves by so many of its widths a second is searched for twice as often as a still one.
SPEED = 0.3


@dataclass
class DetectionSchedule:
    """Decides by motion and load whether a frame's faces are searched for.

    Not safe to share between threads.

    Attributes:
        rest: A search is followed by at least so many times its own duration without one. 0 is for
            files, where nobody waits and results must not depend on the machine.
    """

    rest: float = 1.5
    _last: float | None = None
    _cost: float = 0.0

    def due(self, time: float, tracks: Sequence[Track]) -> bool:
        """Tell whether to search the frame of ``time`` (media seconds).

        Args:
            time: Media time of the frame.
            tracks: The faces that the last search found.
        """
        if self._last is None or time < self._last:
            return True
        speed = max((_speed(track) for track in tracks), default=0.0)
        wait = STILL / (1 + speed / SPEED)
        if not tracks or any(track.sightings == 1 for track in tracks):
            wait = min(wait, UNSURE)
        return time - self._last >= max(wait, self.rest * self._cost)

    def searched(self, time: float, seconds: float) -> None:
        """Note that the frame of ``time`` was searched and how long that took."""
        self._last, self._cost = time, seconds


def _speed(track: Track) -> float:
    """Return how fast the box's edges move, in its sides a second."""
    side = float(np.sqrt(max(1.0, np.prod(track.box[2:] - track.box[:2]))))
    return float(np.abs(track.velocity).max()) / side
