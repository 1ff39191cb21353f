"""Writers of results."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from utils.errors import ImageError

SAVE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def save_image(image: NDArray[np.uint8], path: Path) -> None:
    """Write a picture; the suffix chooses the format, missing folders are made.

    A reader sees the old file or the new one, never half of it.

    Args:
        image: RGB uint8 ``(H, W, 3)``.
        path: The file.

    Raises:
        ImageError: The suffix is not one of ``SAVE_SUFFIXES``, or the file can't be written.
    """
    if path.suffix.lower() not in SAVE_SUFFIXES:
        raise ImageError(f"{path}: can't write this kind; use one of {', '.join(SAVE_SUFFIXES)}")
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(part, quality=92)
        os.replace(part, path)
    except (OSError, ValueError) as error:  # ValueError: more pixels than WebP can hold
        with suppress(OSError):
            part.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path}: can't be written ({reason})") from error
