"""A folder of images as they occur in practice: unusual but valid ones, and broken ones.

``make_good`` and ``make_bad`` write the files; each entry says what a program must do with it.
"""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

WIDTH, HEIGHT = 24, 16
RED, BLUE = (255, 0, 0), (0, 0, 255)
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Good:
    """An image that must load.

    Attributes:
        path: The file.
        shape: ``(H, W)`` after loading.
        top_left: RGB of the pixel at (2, 2) after loading.
        tolerance: Largest difference from it, for lossy formats.
    """

    path: Path
    shape: tuple[int, int]
    top_left: tuple[int, int, int]
    tolerance: int = 0


@dataclass(frozen=True)
class Bad:
    """A file that must be refused with a message that contains its name and ``message``."""

    path: Path
    message: str


def halves() -> NDArray[np.uint8]:
    """RGB (16, 24, 3): left half red, right half blue."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, : WIDTH // 2] = RED
    image[:, WIDTH // 2 :] = BLUE
    return image


def make_good(folder: Path) -> dict[str, Good]:
    """Write the valid images; the key says what is special about each."""
    folder.mkdir(parents=True, exist_ok=True)
    return {**_colours(folder), **_depths(folder), **_transparent(folder), **_containers(folder)}


def make_bad(folder: Path) -> dict[str, Bad]:
    """Write the broken files; the key says what is wrong with each."""
    folder.mkdir(parents=True, exist_ok=True)
    photo = folder / "whole.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photo)
    jpeg = photo.read_bytes()
    photo.unlink()
    (folder / "folder.jpg").mkdir()
    bad = {
        "missing": Bad(folder / "missing.jpg", "no such file"),
        "a folder": Bad(folder / "folder.jpg", "is a folder"),
    }
    contents = {
        "zero bytes": ("empty.jpg", b"", "empty (0 bytes)"),
        "text": ("text.jpg", b"this is no picture\n", "text file"),
        "noise": ("noise.jpg", bytes(range(128, 256)) * 8, "not a readable image"),
        "truncated JPEG": ("truncated.jpg", jpeg[: len(jpeg) // 2], "damaged or truncated"),
        "JPEG header alone": ("header.jpg", jpeg[:20], "not a readable image"),
        "truncated PNG": ("truncated.png", _png(halves())[:60], "damaged or truncated"),
        # Where Pillow has no AVIF, the message says so.
        "damaged AVIF": ("photo.avif", damaged_avif(), "photo.avif"),
        "HEIC": ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, "HEIC"),
        "HEIC named JPEG": ("phone.jpg", b"\0\0\0\x14ftypmif1\0\0\0\0heic" + b"\0" * 64, "HEIC"),
        "video": ("clip.jpg", b"\0\0\0\x14ftypisom\0\0\0\0mp42" + b"\0" * 64, "is a video"),
        "SVG": ("drawing.png", b"<?xml version='1.0'?>\n<svg width='9'/>", "SVG"),
        "PDF": ("paper.png", b"%PDF-1.7\n" + b"\0" * 64, "PDF"),
        "decompression bomb": ("bomb.png", png_header(30_000, 30_000), "900.0 megapixels"),
        "just above the limit": ("large.png", png_header(10_001, 10_000), "too large"),
    }
    for key, (name, data, message) in contents.items():
        (folder / name).write_bytes(data)
        bad[key] = Bad(folder / name, message)
    return bad


def damaged_avif() -> bytes:
    """Return an AVIF file with a good header and no pixels, if Pillow can write AVIF."""
    if not features.check("avif"):
        return b"\0\0\0\x14ftypavif\0\0\0\0mif1" + b"\0" * 64
    file = BytesIO()
    Image.fromarray(halves()).save(file, "AVIF")
    start = file.getvalue().index(b"mdat") + 4
    return file.getvalue()[:start] + bytes(len(file.getvalue()) - start)


def _colours(folder: Path) -> dict[str, Good]:
    rgb = Image.fromarray(halves())
    rgb.save(folder / "rgb.png")
    rgb.convert("L").save(folder / "grey.png")
    rgb.convert("L").point(lambda v: 255 * (v > 50)).convert("1").save(folder / "bits.png")
    rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "palette.png")
    shape = (HEIGHT, WIDTH)
    return {
        "RGB": Good(folder / "rgb.png", shape, RED),
        "8-bit grey": Good(folder / "grey.png", shape, (76, 76, 76)),
        "1-bit": Good(folder / "bits.png", shape, WHITE),
        "CMYK JPEG": Good(folder / "cmyk.jpg", shape, RED, 6),
        "palette": Good(folder / "palette.png", shape, RED),
    }


def _depths(folder: Path) -> dict[str, Good]:
    values = np.full((HEIGHT, WIDTH), 200 * 257, np.uint16)
    Image.fromarray(values).save(folder / "grey16.png")
    Image.fromarray(values).save(folder / "grey16.tiff")
    Image.fromarray(values.astype(np.int32)).save(folder / "integers.tiff")
    pixels = np.zeros((HEIGHT, WIDTH, 3), ">u2")
    pixels[..., 0] = 65535
    (folder / "rgb16.png").write_bytes(_png(pixels, depth=16))
    (folder / "grey16.pgm").write_bytes(
        b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + values.astype(">u2").tobytes()
    )
    grey, shape = (200, 200, 200), (HEIGHT, WIDTH)
    return {
        "16-bit PNG": Good(folder / "grey16.png", shape, grey),
        "16-bit TIFF": Good(folder / "grey16.tiff", shape, grey),
        "16-bit PGM": Good(folder / "grey16.pgm", shape, grey),
        "16 bits in 32-bit integers": Good(folder / "integers.tiff", shape, grey),
        "16-bit RGB PNG": Good(folder / "rgb16.png", shape, RED),
    }


def _transparent(folder: Path) -> dict[str, Good]:
    rgba = np.dstack([halves(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba[:8, :8, 3] = 0
    Image.fromarray(rgba).save(folder / "rgba.png")
    Image.fromarray(rgba).convert("LA").save(folder / "la.png")
    Image.fromarray(rgba).save(folder / "rgba.webp", lossless=True)
    palette = Image.new("P", (WIDTH, HEIGHT), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(folder / "palette_clear.png", transparency=0)
    shape = (HEIGHT, WIDTH)
    return {
        "RGBA": Good(folder / "rgba.png", shape, WHITE),
        "grey with alpha": Good(folder / "la.png", shape, WHITE),
        "transparent WebP": Good(folder / "rgba.webp", shape, WHITE),
        "transparent palette": Good(folder / "palette_clear.png", shape, WHITE),
    }


def _containers(folder: Path) -> dict[str, Good]:
    first, second = Image.new("RGB", (WIDTH, HEIGHT), RED), Image.new("RGB", (WIDTH, HEIGHT), BLUE)
    shape = (HEIGHT, WIDTH)
    good = {}
    for key, name in {"GIF": "moving.gif", "WebP": "moving.webp", "APNG": "moving.png"}.items():
        options = {"lossless": True} if key == "WebP" else {}
        first.save(folder / name, save_all=True, append_images=[second], duration=50, **options)
        good[f"animated {key}"] = Good(folder / name, shape, RED)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the left edge becomes the top
    Image.fromarray(halves()).save(folder / "turned.jpg", exif=exif, quality=95, subsampling=0)
    good["EXIF orientation"] = Good(folder / "turned.jpg", (WIDTH, HEIGHT), RED, 4)
    Image.fromarray(halves()).save(
        folder / "broken_exif.jpg", exif=b"Exif\0\0MM\0*broken", quality=95
    )
    good["broken EXIF"] = Good(folder / "broken_exif.jpg", shape, RED, 4)
    (folder / "jpeg_named.png").write_bytes((folder / "turned.jpg").read_bytes())
    good["JPEG named PNG"] = Good(folder / "jpeg_named.png", (WIDTH, HEIGHT), RED, 4)
    return good


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, *, depth: int = 8) -> bytes:
    """Return a PNG file that declares a size without having the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0" * 9))
    )


def _png(pixels: NDArray, depth: int = 8) -> bytes:
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(lines))
        + _chunk(b"IEND", b"")
    )
