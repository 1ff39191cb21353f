"""When the faces of a stream are detected again; in between their tracks carry the boxes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from utils.inference.tracking.track import Track

# Seconds from one detection to the next: for faces that keep still; and for frames without faces
# or with a new face that only one detection has found so far.
STILL, UNCERTAIN = 0.25, 0.1
# A face that moves by this many of its widths per second is detected twice as often as a still one.
SPEED = 0.3


@dataclass
class DetectionSchedule:
    """Decides by motion and load in which frames faces are detected.

    Not safe to share between threads.

    Attributes:
        rest: After a detection, at least this many times its duration passes without one. 0 is for
            files, where nobody waits and results must not depend on the machine.
    """

    rest: float = 1.5
    _last: float | None = None
    _duration: float = 0.0

    def due(self, time: float, tracks: Iterable[Track]) -> bool:
        """Tell whether to detect the faces of a frame.

        Args:
            time: Media time of the frame in seconds.
            tracks: The faces that the last detection found.
        """
        if self._last is None or time < self._last:
            return True
        known = tuple(tracks)
        speed = max((_speed(track) for track in known), default=0.0)
        wait = STILL / (1 + speed / SPEED)
        if not known or any(track.detection_count == 1 for track in known):
            wait = min(wait, UNCERTAIN)
        return time - self._last >= max(wait, self.rest * self._duration)

    def detected(self, time: float, seconds: float) -> None:
        """Note that the faces of the frame at ``time`` were detected, which took ``seconds``."""
        self._last, self._duration = time, seconds

    def reset(self) -> None:
        """Make a detection due in the next frame."""
        self._last, self._duration = None, 0.0


def _speed(track: Track) -> float:
    """Return how fast the edges of a track's box move, in sides of the box per second."""
    side = float(np.sqrt(max(1.0, np.prod(track.box[2:] - track.box[:2]))))
    return float(np.abs(track.velocity).max()) / side
