"""How files are written: replaced as a whole, under names that a file system accepts."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
