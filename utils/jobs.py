"""Long work in a background thread, with progress that a page can show and a way to cancel it."""

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
        done: Share of the work that is finished, 0..1.
        message: What the job is doing now.
        preview: The newest image, RGB uint8 ``(H, W, 3)``; None before the first.
        seconds_left: Estimate from the share and the time so far; None at the beginning.
    """

    done: float = 0.0
    message: str = ""
    preview: NDArray[np.uint8] | None = None
    seconds_left: float | None = None


class Job(Generic[Result]):
    """Runs a function in a thread of its own. Safe to share between threads.

    Args:
        work: Called with the job; reports its progress there, returns early when the job is
            :attr:`cancelled`, and returns the result.

    Attributes:
        progress: How far the work is.
        result: What ``work`` returned; None before that and after an error.
        error: Why the work failed, as a sentence; None if it did not.
    """

    def __init__(self, work: Callable[["Job[Result]"], Result]) -> None:
        self._work = work
        self._started = clock.monotonic()
        self._cancelled = threading.Event()
        self.progress = Progress()
        self.result: Result | None = None
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work is still going on."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the work to return early; the result so far is kept."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the work has ended, for at most ``seconds``; None waits without limit."""
        self._thread.join(seconds)

    def report(
        self, done: float, message: str = "", *, preview: NDArray[np.uint8] | None = None
    ) -> None:
        """Report how far the work is; without a new preview the old one stays.

        Args:
            done: Share of the work that is finished; clipped to 0..1.
            message: What the job is doing now.
            preview: RGB uint8 ``(H, W, 3)``; must not be changed afterwards.
        """
        spent, done = clock.monotonic() - self._started, min(max(done, 0.0), 1.0)
        left = spent * (1 - done) / done if done > 0.02 else None
        shown = self.progress.preview if preview is None else preview
        self.progress = Progress(done, message, shown, left)

    def _run(self) -> None:
        try:
            self.result = self._work(self)
        except EmotionError as error:
            self.error = str(error)
        except Exception as error:
            logger.error("a background job failed", exc_info=error)
            self.error = f"It could not be finished ({type(error).__name__}: {error})."
