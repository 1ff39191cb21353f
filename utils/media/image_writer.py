"""RGB uint8 ``(H, W, 3)`` to image files and to the bytes of one."""

from io import BytesIO
from pathlib import Path

from PIL import Image as PillowImage

from utils.errors import ConfigError, OutputError, error_boundary
from utils.files import write_file
from utils.media.images import Image

SAVE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def save_image(image: Image, path: Path) -> None:
    """Write an image file; the suffix selects the format, and missing folders are created.

    The file is replaced atomically: readers see either the old file or the complete new one.

    Args:
        image: RGB uint8 ``(H, W, 3)``.
        path: The file.

    Raises:
        ConfigError: The suffix is not one of ``SAVE_SUFFIXES``.
        OutputError: The file can't be written.
    """
    if path.suffix.lower() not in SAVE_SUFFIXES:
        raise ConfigError(
            f"{path}: unsupported image format for writing; use one of {', '.join(SAVE_SUFFIXES)}"
        )
    with error_boundary(
        lambda reason: OutputError(f"{path}: can't be written ({reason})"),
        known=(OSError, ValueError),  # ValueError: too large for WebP
    ):
        # Pillow would not notice that a disk has room for a part of a JPEG file only.
        data = _encode(image, path.suffix.lower())
    write_file(path, data)


def encode_png(image: Image) -> bytes:
    """Return RGB uint8 ``(H, W, 3)`` as the bytes of a PNG file."""
    return _encode(image, ".png")


def _encode(image: Image, suffix: str) -> bytes:
    file = BytesIO()
    kind = PillowImage.registered_extensions()[suffix]
    PillowImage.fromarray(image).save(file, kind, quality=92)
    return file.getvalue()
