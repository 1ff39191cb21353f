"""RGB uint8 ``(H, W, 3)`` to image files and to the bytes of one."""

from io import BytesIO
from pathlib import Path

from PIL import Image as PillowImage

from utils.errors import ConfigError, OutputError, error_boundary
from utils.files import replaced_file
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
    with (
        error_boundary(
            lambda reason: OutputError(f"{path}: can't be written ({reason})"),
            known=(OSError, ValueError),  # ValueError: too large for WebP
        ),
        replaced_file(path) as part,
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(image).save(part, quality=92)


def encode_png(image: Image) -> bytes:
    """Return RGB uint8 ``(H, W, 3)`` as the bytes of a PNG file."""
    file = BytesIO()
    PillowImage.fromarray(image).save(file, "PNG")
    return file.getvalue()
