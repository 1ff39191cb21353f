"""How files are written: by one process, replaced as a whole, under names that are not too long."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from utils.errors import ConfigError, OutputError, reason_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Bytes of a name that Linux, macOS and Windows accept.
_MAX_NAME = 255


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give the path of a hidden file that replaces another one when it is complete.

    Readers of ``path`` see either the old file or the complete new one, even if the program is
    killed. After an error the hidden file is deleted.

    Args:
        path: The file.

    Raises:
        OSError: The file can't be replaced.
    """
    part = part_of(path)
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """Return where a file is written until it is complete: a short hidden name beside it.

    It depends on the name only, so a repeated run replaces what one that was killed left behind.
    """
    return path.with_name(f".{zlib.crc32(os.fsencode(path.name)):08x}.part{path.suffix}")


def shortened(path: Path, ending: str = "") -> Path:
    """Return a path whose name is not too long for a file system; its suffix is kept.

    Args:
        path: The path.
        ending: Added before the suffix, and kept, too.
    """
    stem, ending = path.stem, ending + path.suffix
    while len(os.fsencode(stem + ending)) > _MAX_NAME and len(stem) > 1:
        stem = stem[:-1]
    return path.with_name(stem + ending)


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Keep other processes of this project from writing to a file; it is created if it is missing.

    The system releases the lock when the process ends, even if it is killed. Where the system or
    the file system has no locks, as on Windows, nothing is locked.

    Args:
        path: The file; missing folders are created.

    Raises:
        ConfigError: The path is not that of a regular file.
        OutputError: Another process has locked the file, or it can't be written.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: is not a regular file; name another one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _open_locked(path)
    except BlockingIOError as error:
        raise OutputError(
            f"{path}: another run is writing to it; wait until that has ended, or name another file"
        ) from error
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({reason_of(error)})") from error
    with file:
        yield


def _open_locked(path: Path) -> IO[bytes]:
    while True:
        file = path.open("ab")
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise
        except OSError:
            return file  # a file system without locks
        # The process that held the lock may have deleted the file in between.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()
