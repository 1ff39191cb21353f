"""How a process gets its memory from the system, and how much it holds."""

import ctypes
import os
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Keep large freed blocks in the process for reuse instead of returning each to the system.

    By default glibc maps every block above 32 MB anew, and the system clears it page by page. The
    activations of a batch are such blocks; training on the CPU spends a third of its time there.
    Call it before large blocks are allocated. See ``mallopt`` in
    https://man7.org/linux/man-pages/man3/mallopt.3.html.

    Returns:
        Whether the allocator was changed; only glibc on Linux can be.
    """
    return _mallopt(_M_MMAP_MAX, 0) and _mallopt(_M_TRIM_THRESHOLD, _MOST)


def limit_heaps(count: int = 2) -> bool:
    """Let all threads share a few heaps, unless ``MALLOC_ARENA_MAX`` says how many.

    By default glibc gives each thread a heap of its own and never returns it: the threads of each
    visitor of a page would leave one behind.

    Returns:
        Whether the allocator was changed; only glibc on Linux can be.
    """
    return "MALLOC_ARENA_MAX" not in os.environ and _mallopt(_M_ARENA_MAX, count)


def _mallopt(parameter: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL("libc.so.6").mallopt(parameter, value))
    except (OSError, AttributeError):
        return False


def memory_mb(*, peak: bool = False, pid: int | None = None) -> float | None:
    """Return the resident memory of a process in MiB; None where there is no ``/proc``.

    Args:
        peak: Return the peak so far. ``resource.getrusage`` would not do: on Linux a new process
            starts there with its parent's peak.
        pid: The process; None is this one.
    """
    status = Path(f"/proc/{pid or 'self'}/status")
    if not status.is_file():
        return None
    name = "VmHWM" if peak else "VmRSS"
    line = next(x for x in status.read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) / 1024
