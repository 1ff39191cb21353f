"""How a process gets its memory from the system, and how much it holds."""

import ctypes
import os
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8
_MOST = 2**31 - 1
# A frame of Full HD video is smaller, the pixels of a photo are larger.
_LARGE = 8 * 2**20


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


def return_large_blocks() -> bool:
    """Return the memory of large pictures to the system as soon as it is freed.

    By default glibc raises the size above which it does so, up to 32 MB, with each such block that
    is freed, and keeps the smaller ones. Call it where pictures of any size are analysed.

    Returns:
        Whether the allocator was changed; only glibc on Linux can be.
    """
    return _mallopt(_M_MMAP_THRESHOLD, _LARGE)


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
