"""Long work in the background, whose progress a page can show and end."""

import logging
import threading
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from utils.errors import EmotionError

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        done: Share of the work, 0..1.
        words: What it is at.
        preview: The newest picture, RGB uint8 ``(H, W, 3)``; None before the first.
        seconds_left: Estimated from the share and the time so far; None at the beginning.
    """

    done: float = 0.0
    words: str = ""
    preview: NDArray[np.uint8] | None = None
    seconds_left: float | None = None


class Job(Generic[Result]):
    """Runs a function in a thread. Safe to share between threads.

    Args:
        work: Gets the job, tells it of its progress, ends early when :attr:`cancelled`, and returns
            the result.
    """

    def __init__(self, work: Callable[["Job[Result]"], Result]) -> None:
        self._work = work
        self._began = clock.monotonic()
        self._cancelled = threading.Event()
        self.progress = Progress()
        self.result: Result | None = None
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for its end."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the work to end early; its result so far is kept."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the work has ended, or so many seconds."""
        self._thread.join(seconds)

    def report(
        self, done: float, words: str = "", preview: NDArray[np.uint8] | None = None
    ) -> None:
        """Say how far the work is; without a new preview the old one stays.

        Args:
            done: Share of the work, 0..1.
            words: What it is at.
            preview: RGB uint8 ``(H, W, 3)``; must not be changed afterwards.
        """
        spent, done = clock.monotonic() - self._began, min(max(done, 0.0), 1.0)
        left = spent * (1 - done) / done if done > 0.02 else None
        shown = self.progress.preview if preview is None else preview
        self.progress = Progress(done, words, shown, left)

    def _run(self) -> None:
        try:
            self.result = self._work(self)
        except EmotionError as error:
            self.error = str(error)
        except Exception as error:
            logger.error("a job failed", exc_info=error)
            self.error = f"It could not be finished ({type(error).__name__}: {error})."
