"""How the process gets its memory from the system."""

import ctypes
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
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
    return _mallopt((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _MOST))


def share_arenas(most: int = 2) -> bool:
    """Let new threads share a few heaps, in place of one for each up to eight times the cores.

    A server whose viewers come and go starts many threads; what each leaves unused in a heap of its
    own made the live page grow by 2 to 4 MB with every start, although nothing was kept.

    Returns:
        Whether it was possible; elsewhere than with glibc on Linux it is not.
    """
    return _mallopt((_M_ARENA_MAX, most))


def _mallopt(*options: tuple[int, int]) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, value) for name, value in options)


def memory_mb(peak: bool = False) -> float | None:
    """Return the megabytes that this process holds; None where the system does not tell.

    Args:
        peak: The most that it has held. Not ``resource.getrusage``: on Linux a new process begins
            with its parent's peak there.
    """
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    name = "VmHWM" if peak else "VmRSS"
    line = next(x for x in status.read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) / 1024
