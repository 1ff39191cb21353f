"""How the process gets its memory from the system."""

import ctypes
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the process reuse large blocks that it has freed, in place of returning each at once.

    By default glibc maps every block above 32 MB anew from the system, which clears it page by
    page; the activations of a batch are such blocks, and training on the CPU spends a third of its
    time there. Has to be called before large blocks are made. ``mallopt`` of
    https://man7.org/linux/man-pages/man3/mallopt.3.html.

    Returns:
        Whether it was possible; elsewhere than with glibc on Linux it is not.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _MOST))


def memory_mb(peak: bool = False, pid: int | None = None) -> float | None:
    """Return the megabytes that a process holds; None where the system does not tell.

    Args:
        pid: Which process; this one if None.
        peak: The most that it has held. Not ``resource.getrusage``: on Linux a new process begins
            with its parent's peak there.
    """
    status = Path(f"/proc/{pid or 'self'}/status")
    if not status.is_file():
        return None
    name = "VmHWM" if peak else "VmRSS"
    line = next(x for x in status.read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) / 1024
