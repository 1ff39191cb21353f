"""How files are written: by one process, replaced as a whole, under names that are not too long."""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from utils.errors import ConfigError, OutputError, reason_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Bytes of a name that Linux, macOS and Windows accept.
_MAX_NAME = 255


def unusable_reason(path: Path, kind: str = "file") -> str | None:
    """Return why a path is not that of a file, to follow its name; None if it is.

    Args:
        path: The path.
        kind: What it should be, such as ``model file``.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return f"no such {kind}"
    except (OSError, ValueError) as error:  # a name that is too long, no permission, a NUL
        return f"can't be read ({reason_of(error)})"
    if stat.S_ISREG(mode):
        return None
    # Reading a pipe or a device may never end.
    return f"is a folder, not a {kind}" if stat.S_ISDIR(mode) else "is not a regular file"


def check_folder(path: Path) -> None:
    """Check before a long run that files can be written to a folder; nothing is created.

    Args:
        path: The folder; it and its parents may be missing.

    Raises:
        ConfigError: It or a parent is a file, or there is no permission to write.
    """
    existing = next(p for p in (path, *path.absolute().parents) if os.path.lexists(p))
    if not existing.is_dir():
        kind = "is a file" if existing == path else f"can't be created, {existing} is a file"
        raise ConfigError(f"{path}: {kind}; name a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"{path}: no permission to write to {existing}; name another folder")


def make_folder(path: Path) -> None:
    """Create a folder and its parents, unless they exist.

    Raises:
        ConfigError: It or a parent is a file, or there is no permission to write.
        OutputError: It can't be created for another reason, such as a name that is too long.
    """
    check_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: can't be created ({reason_of(error)})") from error


def write_file(path: Path, data: bytes | memoryview, *, sync: bool = False) -> None:
    """Write a file as a whole; an existing one is replaced, and missing folders are created.

    Encoders get no file of the disk to write to, but one in memory: some don't notice when a disk
    is full, and others fail in ways of their own.

    Args:
        path: The file.
        data: Its content.
        sync: Return when the disk holds it, so that it survives a power failure.

    Raises:
        OutputError: It can't be written; an existing file is left as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_file(path) as part, part.open("wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({reason_of(error)})") from error


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
    if os.path.exists(path) and not os.path.isfile(path):
        raise ConfigError(f"{path}: is not a regular file; name another one")
    with _locked(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, folder=path.parent):
        yield


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Keep other processes of this project from writing to a folder; see :func:`locked_file`.

    Args:
        path: The folder; created if it is missing, with its parents.

    Raises:
        ConfigError: The path or a parent is that of a file.
        OutputError: Another process has locked the folder, or it can't be created.
    """
    check_folder(path)
    # Windows opens no folders.
    with _locked(path, os.O_RDONLY, folder=path) if fcntl else nullcontext():
        yield


@contextmanager
def _locked(path: Path, flags: int, *, folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _open_locked(path, flags)
    except BlockingIOError as error:
        raise OutputError(
            f"{path}: another run is writing to it; wait until that has ended, or name another one"
        ) from error
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({reason_of(error)})") from error
    try:
        yield
    finally:
        os.close(descriptor)


def _open_locked(path: Path, flags: int) -> int:
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            return descriptor  # a file system without locks
        # The process that held the lock may have deleted the file in between.
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)
