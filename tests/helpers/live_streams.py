"""What tests of live streams wait for and count."""

import threading
from collections.abc import Callable

from threads import wait_until

from utils.inference.live import LiveAnalyzer
from utils.inference.timeline import LiveSnapshot


def wait_for(live: LiveAnalyzer, condition: Callable[[LiveSnapshot], object]) -> LiveSnapshot:
    """Return the first snapshot that fulfils the condition."""

    def fulfilled() -> LiveSnapshot | None:
        snapshot = live.snapshot()
        return snapshot if condition(snapshot) else None

    snapshot = wait_until(fulfilled)
    assert snapshot is not None
    return snapshot


def workers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "live-analyzer"]
