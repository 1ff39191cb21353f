"""What a user names (files, folders, lists, ``-``) becomes single pictures and videos."""

import logging
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from utils.errors import ConfigError, EmotionError, ImageError

# HEIC is listed although it can't be read: a folder of phone photos should give errors that say
# what to do, not an empty list.
# fmt: off
IMAGE_SUFFIXES: frozenset[str] = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".tif",
    ".tiff", ".jp2", ".avif", ".ppm", ".pgm", ".pbm", ".heic", ".heif",
))
VIDEO_SUFFIXES: frozenset[str] = frozenset((
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp",
    ".ts", ".mts", ".ogv", ".mjpeg", ".mjpg", ".y4m",
))
# fmt: on
STANDARD_INPUT = "-"
# More would be no picture but an attack.
MAX_MEMBER_BYTES = 200_000_000


logger = logging.getLogger(__name__)


class Kind(Enum):
    """How a source is read."""

    PICTURE = "picture"
    VIDEO = "video"
    STANDARD_INPUT = "standard input"
    CAMERA = "camera"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Source:
    """One picture or video.

    Attributes:
        name: What results call it: its path as the user would write it.
        kind: How it is read.
        below: Its path below the folder that was named, or its own name; where a copy goes.
        error: Why it can't be used, for the kind ``UNUSABLE``.
        read: Returns the bytes of a picture that is no file of its own; None if it is one.
    """

    name: str
    kind: Kind
    below: Path
    error: EmotionError | None = None
    read: Callable[[], bytes] | None = None


def find_sources(names: Iterable[str], pattern: str | None = None) -> Iterator[Source]:
    """Yield the pictures and videos that names stand for, those of a folder sorted, however deep.

    What can't be used comes as a source that says why, so that nothing is skipped silently. Only
    the names of one folder at a time are held in memory.

    Args:
        names: Files, folders, and ``-`` for a picture from standard input.
        pattern: Of the files in folders only those are taken whose name, or path below the folder,
            matches, as ``*.jpg`` or ``2024/*``.
    """
    for name in names:
        if name == STANDARD_INPUT:
            yield Source(name, Kind.STANDARD_INPUT, Path("standard-input.png"))
        elif os.path.isdir(name):
            yield from _in_folder(Path(name), pattern)
        else:
            kind = Kind.VIDEO if is_video_name(name) else Kind.PICTURE
            yield Source(name, kind, Path(os.path.basename(name)))


def list_images(folder: str | Path) -> list[Path]:
    """List the pictures in a folder and everything below it, sorted by path.

    Files count by their suffix (``IMAGE_SUFFIXES``, in any case); hidden files and folders don't.

    Raises:
        ImageError: The folder is missing, is not a folder or can't be read.
    """
    root = Path(folder)
    if not root.exists():
        raise ImageError(f"{root}: no such folder")
    if not root.is_dir():
        raise ImageError(f"{root} is not a folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise ImageError(f"{root}: no permission to read this folder")

    def unreadable(error: OSError) -> None:
        logger.warning("skipped a folder that can't be read: %s", error.filename)

    found = []
    for parent, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if is_image_name(name)]
    return sorted(found, key=lambda path: path.as_posix())


def is_image_name(name: str) -> bool:
    """Say whether a file name has a picture's suffix and isn't hidden."""
    return not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES


def zip_sources(file: IO[bytes], name: str) -> Iterator[Source]:
    """Yield the pictures in a zip archive, sorted; each is read when its turn comes.

    Args:
        file: The archive.
        name: What messages call it.

    Raises:
        ImageError: It is no zip archive.
    """
    try:
        archive = ZipFile(file)
    except BadZipFile as error:
        raise ImageError(f"{name}: is damaged, or no zip archive") from error
    members = sorted(archive.infolist(), key=lambda member: member.filename)
    pictures = [m for m in members if not m.is_dir() and is_image_name(Path(m.filename).name)]
    if not pictures:
        yield _unusable(name, "the archive holds no pictures")
    for member in pictures:
        yield _member(archive, member)


def _member(archive: ZipFile, member: ZipInfo) -> Source:
    if member.file_size > MAX_MEMBER_BYTES:
        return _unusable(member.filename, f"is larger than {MAX_MEMBER_BYTES // 10**6} MB")

    def read() -> bytes:
        try:
            return archive.read(member)
        except (BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError) as error:
            # RuntimeError: it is encrypted.
            raise ImageError(
                f"{member.filename}: can't be read from the archive ({error})"
            ) from error

    return Source(member.filename, Kind.PICTURE, Path(member.filename), read=read)


def read_list(path: Path) -> Iterator[str]:
    """Yield the names in a text file, one a line; empty lines and those that begin with # are left.

    Raises:
        ConfigError: The file can't be read.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                if (name := line.strip("\r\n")).strip() and not name.startswith("#"):
                    yield name
    except OSError as error:
        raise ConfigError(f"--list {path}: can't be read ({error.strerror})") from error


def is_video_name(name: str) -> bool:
    """Say whether a file name has a video's suffix."""
    return Path(name).suffix.lower() in VIDEO_SUFFIXES


def _in_folder(folder: Path, pattern: str | None) -> Iterator[Source]:
    failed: list[OSError] = []
    count = 0
    for parent, folders, files in os.walk(folder, onerror=failed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            below = Path(parent, name).relative_to(folder)
            video = is_video_name(name) and not name.startswith(".")
            if (video or is_image_name(name)) and _matches(below, pattern):
                count += 1
                yield Source(str(folder / below), Kind.VIDEO if video else Kind.PICTURE, below)
        yield from (
            _unusable(str(e.filename), f"no permission to read ({e.strerror})") for e in failed
        )
        count += len(failed)
        failed.clear()
    for error in failed:
        count += 1
        yield _unusable(str(error.filename), f"can't be read ({error.strerror})")
    if not count:
        wanted = f"matching {pattern!r} " if pattern else ""
        yield _unusable(str(folder), f"the folder holds no pictures or videos {wanted}".rstrip())


def _matches(below: Path, pattern: str | None) -> bool:
    return not pattern or fnmatch(below.name, pattern) or fnmatch(below.as_posix(), pattern)


def _unusable(name: str, reason: str) -> Source:
    return Source(name, Kind.UNUSABLE, Path(name), ImageError(f"{name}: {reason}"))
