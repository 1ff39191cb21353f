"""Expands what a user names (files, folders, lists, ``-``) into single images and videos."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from utils.errors import ConfigError, EmotionError, ImageError, TooLargeError, error_boundary
from utils.media.archives import ZipArchive
from utils.media.images import MAX_BYTES

# HEIC is listed although it can't be decoded: a folder of phone photos should produce errors that
# say what to do, not an empty list.
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
# Characters; the longest path of any system has half as many.
_LONGEST_LINE = 1 << 16

logger = logging.getLogger(__name__)


class Kind(Enum):
    """How a source is read."""

    IMAGE = "image"
    VIDEO = "video"
    STANDARD_INPUT = "standard input"
    CAMERA = "camera"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Source:
    """One image or video to analyse.

    Attributes:
        name: Its name in results: the path as the user would write it.
        kind: How it is read.
        below: Its path relative to the folder that was named, or its file name; determines where an
            annotated copy goes.
        error: Why it can't be used, if its kind is ``UNUSABLE``.
        read: Returns the bytes of an image that is not a file, such as an archive member; None for
            files.
    """

    name: str
    kind: Kind
    below: Path
    error: EmotionError | None = None
    read: Callable[[], bytes] | None = None


def find_sources(names: Iterable[str], pattern: str | None = None) -> Iterator[Source]:
    """Yield the images and videos that the names refer to; folders are walked recursively, sorted.

    Anything unusable is yielded as a source that says why, so that nothing is skipped silently.
    Only the names of one folder at a time are held in memory.

    Args:
        names: Files, folders, and ``-`` for an image from standard input.
        pattern: Restricts folders to files whose name, or path relative to the folder, matches a
            pattern such as ``*.jpg`` or ``2024/*``.
    """
    for name in names:
        if name == STANDARD_INPUT:
            yield Source(name, Kind.STANDARD_INPUT, Path("standard-input.png"))
        elif os.path.isdir(name):
            yield from _in_folder(Path(name), pattern)
        else:
            kind = Kind.VIDEO if is_video_name(name) else Kind.IMAGE
            yield Source(name, kind, Path(os.path.basename(name)))


def list_images(folder: str | Path) -> list[Path]:
    """List the images in a folder and its subfolders, sorted by path.

    Files are recognised by their suffix (``IMAGE_SUFFIXES``, case-insensitive); hidden files and
    folders are skipped.

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

    def warn(error: OSError) -> None:
        logger.warning("skipped an unreadable folder: %s", error.filename)

    found = []
    for parent, folders, files in os.walk(root, onerror=warn):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if is_image_name(name)]
    return sorted(found, key=lambda path: path.as_posix())


def is_image_name(name: str) -> bool:
    """Return whether a file name has an image suffix and is not hidden."""
    return not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES


def zip_sources(file: IO[bytes], name: str) -> Iterator[Source]:
    """Yield the images in a zip archive, sorted by name; each is read only when it is needed.

    Args:
        file: The archive.
        name: The name of the archive in error messages.

    Raises:
        ImageError: The file is not a zip archive.
    """
    archive = ZipArchive(file, name)
    images = [m for m in archive.members if is_image_name(PurePosixPath(m.filename).name)]
    if not images:
        yield _unusable(name, "the archive contains no images")
    for member in sorted(images, key=lambda member: member.filename):
        path = Path(member.filename)
        yield Source(member.filename, Kind.IMAGE, path, read=partial(archive.read, member))


def read_list(path: Path) -> Iterator[str]:
    """Yield the names in a text file, one per line, except empty lines and # comments.

    Raises:
        ConfigError: The file can't be read.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise ConfigError(f"--list {path}: a line is longer than any path")
                if (name := line.strip("\r\n")).strip() and not name.startswith("#"):
                    yield name
    except OSError as error:
        raise ConfigError(f"--list {path}: can't be read ({error.strerror})") from error


def read_standard_input() -> bytes:
    """Return the bytes of an image from standard input.

    Raises:
        ImageError: It can't be read, or has more than ``MAX_BYTES``, as an endless pipe has.
    """
    if sys.stdin is None:
        raise ImageError("standard input is closed")
    with error_boundary(
        lambda reason: ImageError(f"standard input can't be read ({reason})"), known=(OSError,)
    ):
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooLargeError(
            f"standard input has more than {MAX_BYTES // 1_000_000} MB; name a file instead"
        )
    return data


def is_video_name(name: str) -> bool:
    """Return whether a file name has a video suffix."""
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
                yield Source(str(folder / below), Kind.VIDEO if video else Kind.IMAGE, below)
        yield from (_unusable(str(e.filename), f"can't be read ({e.strerror})") for e in failed)
        count += len(failed)
        failed.clear()
    for error in failed:
        count += 1
        yield _unusable(str(error.filename), f"can't be read ({error.strerror})")
    if not count:
        suffix = f" matching {pattern!r}" if pattern else ""
        yield _unusable(str(folder), f"the folder contains no images or videos{suffix}")


def _matches(below: Path, pattern: str | None) -> bool:
    return not pattern or fnmatch(below.name, pattern) or fnmatch(below.as_posix(), pattern)


def _unusable(name: str, reason: str) -> Source:
    return Source(name, Kind.UNUSABLE, Path(name), ImageError(f"{name}: {reason}"))
