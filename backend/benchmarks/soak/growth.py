"""What a process holds, and whether it grows: memory, threads and descriptors over time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.memory import memory_mb

# The first third is for caches, pools and heaps to fill.
_WARM_UP = 1 / 3
_FEWEST_SAMPLES = 30
_SHORTEST = 180.0  # seconds
_MEMORY_SHARE = 0.05

RULE = (
    "a straight line is fitted through the last two thirds of the samples; it may not rise, beyond "
    "twice its standard error, by more than 5% of the memory (at least 16 MB), 2 threads or 4 "
    "descriptors"
)


@dataclass(frozen=True)
class Usage:
    """What a process holds at one moment.

    Attributes:
        seconds: The moment, since the beginning.
        memory_mb: Resident memory in MiB.
        threads: Number of threads.
        descriptors: Number of open files and connections.
    """

    seconds: float
    memory_mb: float
    threads: int
    descriptors: int

    @classmethod
    def of(cls, pid: int, seconds: float) -> "Usage | None":
        """Return what a process holds now; None if it has ended or there is no ``/proc``."""
        folder = Path(f"/proc/{pid}")
        try:
            memory = memory_mb(pid=pid)
            threads = len(list((folder / "task").iterdir()))
            descriptors = len(list((folder / "fd").iterdir()))
        except (OSError, StopIteration):
            return None
        return None if memory is None else cls(seconds, memory, threads, descriptors)

    def __str__(self) -> str:
        return f"{self.memory_mb:.0f} MB, {self.threads} threads, {self.descriptors} descriptors"


@dataclass(frozen=True)
class Growth:
    """How one figure changed after the warm-up.

    Attributes:
        name: The figure.
        first: The fitted line's value after the warm-up.
        last: Its value at the end.
        error: Standard error of their difference.
        allowed: Most that the line may rise.
    """

    name: str
    first: float
    last: float
    error: float
    allowed: float

    @property
    def is_leak(self) -> bool:
        """Whether the line rises by more than is allowed, beyond chance."""
        return self.last - self.first - 2 * self.error > self.allowed

    def __str__(self) -> str:
        return f"{self.name}: {self.first:.1f} to {self.last:.1f}"


def measure_growth(samples: list[Usage]) -> list[Growth]:
    """Return how each figure changed, by :data:`RULE`; nothing if the time was too short to tell.

    Args:
        samples: At even intervals, oldest first.
    """
    if not samples or samples[-1].seconds - samples[0].seconds < _SHORTEST:
        return []
    kept = samples[int(len(samples) * _WARM_UP) :]
    if len(kept) < _FEWEST_SAMPLES:
        return []
    memory = _fit("memory in MB", kept, [sample.memory_mb for sample in kept], allowed=16.0)
    threads = _fit("threads", kept, [sample.threads for sample in kept], allowed=2.0)
    files = _fit("descriptors", kept, [sample.descriptors for sample in kept], allowed=4.0)
    return [memory, threads, files]


def _fit(name: str, samples: list[Usage], values: list[float], *, allowed: float) -> Growth:
    times = np.array([sample.seconds for sample in samples])
    slope, start = np.polyfit(times, values, 1)
    rest = np.asarray(values) - (start + slope * times)
    spread = times - times.mean()
    error = np.sqrt((rest @ rest) / (len(times) - 2) / (spread @ spread)) * np.ptp(times)
    first, last = start + slope * times[0], start + slope * times[-1]
    if name.startswith("memory"):
        allowed = max(allowed, _MEMORY_SHARE * first)
    return Growth(name, float(first), float(last), float(error), float(allowed))
