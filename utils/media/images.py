"""Image files, bytes, Pillow images and arrays to validated RGB uint8 ``(H, W, 3)``."""

import logging
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image as PillowImage, ImageOps

from utils.errors import ImageError, TooLargeError, error_boundary
from utils.media.image_kinds import is_text, refuse_other_kinds

logger = logging.getLogger(__name__)

# RGB ``(H, W, 3)``, or grey ``(H, W)`` where that is said.
Image = NDArray[np.uint8]
ImageSource = str | Path | bytes | PillowImage.Image | NDArray[Any]

MAX_PIXELS = 100_000_000
# Of an image from a source that does not say how large it is, such as a pipe or an archive.
MAX_BYTES = 200_000_000

# Pillow supports more formats, but some start other programs (EPS) and none of them holds photos.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "AVIF", "PPM")
_ACCEPTED = "JPEG, PNG, WebP, GIF, BMP, TIFF, JPEG 2000, AVIF and PPM"
# Every exception that Pillow's decoders have been observed to raise on damaged files; RuntimeError
# is that of AVIF.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
# Bytes per pixel that Pillow and the copies of its image take beside the result, as measured; more
# for images with transparency, and for WebP, which is decoded in two steps.
_DECODING, _HEAVY_DECODING = 7, 24
_HEAVY_FORMATS = ("WEBP", "AVIF")
_pillow_limit = threading.Lock()
# Pillow warns of damaged metadata, which does not affect the pixels. Appended, the filter yields to
# those that the user sets.
warnings.filterwarnings("ignore", module=r"PIL\.", append=True)


def load_image(
    source: ImageSource, *, max_pixels: int = MAX_PIXELS, name: str | None = None
) -> Image:
    """Load an image from any supported source, upright and in RGB.

    EXIF orientation is applied, transparency is composited onto white, 16-bit grey is scaled to
    8 bits, and only the first frame of an animation is used.

    Args:
        source: A path, the bytes of a file, a Pillow image, or a uint8 array: grey ``(H, W)``,
            RGB ``(H, W, 3)`` or RGBA ``(H, W, 4)``.
        max_pixels: Larger images are rejected by their header, before anything is decoded.
        name: The name of the image in error messages; the path by default.

    Returns:
        RGB uint8 ``(H, W, 3)``. An RGB array is returned as is, without a copy.

    Raises:
        ImageError: The image is missing, empty, damaged, too large or of an unsupported format.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels, name or "the array")
    if isinstance(source, PillowImage.Image):
        name = name or getattr(source, "filename", "") or "the image"
        _check_size(source.size, max_pixels, name)
        return _to_rgb(source, name)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        name = name or "the image"
        if not data:
            raise ImageError(f"{name} is empty (0 bytes)")
        return _decode(BytesIO(data), max_pixels, name)
    if isinstance(source, (str, Path)):
        path = Path(source)
        with _open_file(path) as file:
            return _decode(file, max_pixels, name or str(path))
    raise ImageError(
        f"an image must be a path, bytes, a Pillow image or an array, not {type(source).__name__}"
    )


@dataclass(frozen=True)
class ImageMemory:
    """How much memory an image takes, judged by its header.

    Attributes:
        pixels: Bytes of its RGB pixels.
        decoding: Bytes needed on top while it is being decoded, at most.
    """

    pixels: int
    decoding: int


def memory_of(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> ImageMemory:
    """Return how much memory an image file, or the bytes of one, will take; nothing is decoded.

    One that can't be used, or has more than ``max_pixels``, takes none: loading it will say why.
    """
    try:
        with (
            _open_file(Path(source)) if isinstance(source, (str, Path)) else BytesIO(source) as file
        ):
            image = _open_image(file, max_pixels, "the image")
    except ImageError:
        return ImageMemory(0, 0)
    heavy = image.has_transparency_data or image.format in _HEAVY_FORMATS
    pixels = image.width * image.height
    return ImageMemory(3 * pixels, (_HEAVY_DECODING if heavy else _DECODING) * pixels)


def _from_array(array: NDArray[Any], max_pixels: int, name: str) -> Image:
    shape = array.shape
    right_shape = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
    if array.dtype != np.uint8 or not right_shape or 0 in shape:
        raise ImageError(
            f"{name} has shape {shape} and dtype {array.dtype}; accepted are uint8 (H, W) grey,"
            " (H, W, 3) RGB and (H, W, 4) RGBA"
        )
    _check_size((shape[1], shape[0]), max_pixels, name)
    if len(shape) == 3 and shape[2] == 3:
        return array
    return _to_rgb(PillowImage.fromarray(np.ascontiguousarray(array)), name)


def _open_file(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not an image")
        if path.exists() and not path.is_file():
            raise ImageError(f"{path} is not a regular file")
        if path.stat().st_size == 0:
            raise ImageError(f"{path} is empty (0 bytes)")
        return path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file") from error
    except PermissionError as error:
        raise ImageError(f"{path}: no permission to read this file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise ImageError(f"{str(path)!r} can't be read: {error}") from error


def _decode(file: IO[bytes], max_pixels: int, name: str) -> Image:
    with _open_image(file, max_pixels, name) as image:
        return _to_rgb(image, name)


def _open_image(file: IO[bytes], max_pixels: int, name: str) -> PillowImage.Image:
    head = file.read(1024)
    file.seek(0)
    refuse_other_kinds(head, name)
    kind = "is a text file, not an image" if is_text(head) else "is not a readable image"
    unreadable = ImageError(f"{name} {kind}; accepted formats are {_ACCEPTED}")
    with error_boundary(lambda reason: unreadable, known=_DECODE_ERRORS):
        image = _open_header(file)
    _check_size(image.size, max_pixels, name)
    return image


def _open_header(file: IO[bytes]) -> PillowImage.Image:
    PillowImage.init()
    formats = [name for name in _FORMATS if name in PillowImage.OPEN]
    # Pillow's own limit is a global that warns or raises at sizes other than ours.
    with _pillow_limit:
        limit, PillowImage.MAX_IMAGE_PIXELS = PillowImage.MAX_IMAGE_PIXELS, None
        try:
            return PillowImage.open(file, formats=formats)
        finally:
            PillowImage.MAX_IMAGE_PIXELS = limit


def _check_size(size: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size
    if width * height > max_pixels:
        raise TooLargeError(
            f"{name} is too large: {width} x {height} = {width * height / 1e6:.1f} megapixels, the"
            f" limit is {max_pixels / 1e6:g}; scale it down"
        )


def _to_rgb(image: PillowImage.Image, name: str) -> Image:
    def damaged(_reason: str) -> ImageError:
        # Users can do nothing with a decoder's words; they are in the error's cause.
        return ImageError(f"{name} is damaged or truncated; obtain the file again")

    with error_boundary(damaged, known=_DECODE_ERRORS):
        image.load()
        image = _upright(image)
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            image = _to_8_bit(image, name)
        if image.has_transparency_data:
            rgba = image.convert("RGBA")
            image = PillowImage.alpha_composite(PillowImage.new("RGBA", rgba.size, "white"), rgba)
        # Pillow copies even if there is nothing to convert.
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        return np.array(rgb, dtype=np.uint8)


def _upright(image: PillowImage.Image) -> PillowImage.Image:
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        return ImageOps.exif_transpose(image) if turned else image
    except Exception as error:
        # Broken EXIF data does not affect the pixels.
        logger.debug("ignored unreadable EXIF data (%s)", type(error).__name__)
        return image


def _to_8_bit(image: PillowImage.Image, name: str) -> PillowImage.Image:
    values = np.asarray(image)
    # Pillow keeps some 16-bit files in 32-bit integers.
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ImageError(f"{name} has 32 bits per channel; convert it to 8 or 16 bits")
    return PillowImage.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
