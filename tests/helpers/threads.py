"""What tests of threads share: run several at once, wait for something to come true."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Run each function in a thread of its own and return their results in order.

    All threads have ended when this returns. The error of a thread is raised here.
    """
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]
    return [future.result() for future in futures]


def running(name: str) -> list[threading.Thread]:
    """Return the threads that run now and whose names begin like this."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def wait_until(condition: Callable[[], T], *, seconds: float = 60.0) -> T:
    """Wait until a condition holds and return its value.

    Raises:
        AssertionError: It does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} seconds"
        time.sleep(0.01)
    return value
