"""Small valid pictures and videos of every format that is decoded, and zip files of pictures."""

import io
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
from corpus import halves, make_bad, make_good
from dataset_files import image_folder, small_csv
from hostile_names import HOSTILE
from numpy.typing import NDArray
from PIL import Image

from fuzz.mutation import png_chunk

_MODES: dict[str, tuple[str, ...]] = {
    "JPEG": ("L", "RGB", "CMYK", "YCbCr"),
    "MPO": ("RGB",),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("1", "L", "P"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA"),
    "AVIF": ("RGB", "RGBA"),
    "PPM": ("1", "L", "RGB", "I"),
}
_COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "tiff_ccitt")
# Container and codec of the videos, by the suffix of the file.
_CODECS = (
    ("mp4", "libx264"), ("mp4", "mpeg4"), ("mp4", "libx265"), ("mov", "mjpeg"), ("mov", "prores"),
    ("mkv", "libx264"), ("mkv", "ffv1"), ("webm", "libvpx"), ("webm", "libvpx-vp9"),
    ("avi", "mpeg4"), ("avi", "mjpeg"), ("avi", "huffyuv"), ("mjpeg", "mjpeg"),
    ("mpg", "mpeg1video"), ("ts", "mpeg2video"), ("flv", "flv"), ("wmv", "wmv2"), ("gif", "gif"),
    ("h264", "libx264"), ("hevc", "libx265"), ("apng", "apng"), ("ivf", "libvpx"),
)  # fmt: skip
_QUIET = {"libx265": {"x265-params": "log-level=none"}}
_FRAMES, _SIDE = 5, 64
# The matrices of an MP4 file's header, upright and turned by 90 degrees.
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_TURNED = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)


@cache
def pictures() -> tuple[bytes, ...]:
    """Return pictures in all formats and modes, and the damaged ones of the other tests."""
    files = [_saved(kind, mode) for kind, modes in _MODES.items() for mode in modes]
    files += [_saved("TIFF", "1" if "ccitt" in name else "RGB", compression=name)
              for name in _COMPRESSIONS]  # fmt: skip
    files += [_saved("JPEG", "RGB", exif=_exif(turn), progressive=turn > 4) for turn in range(1, 9)]
    files += [_saved(kind, "RGB", exif=_exif(6)) for kind in ("PNG", "WEBP", "TIFF", "AVIF")]
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "AVIF", "MPO"):
        files.append(_saved(kind, "RGB", save_all=True, append_images=[_picture("RGB")] * 2))
    return tuple(filter(None, files)) + _other_pictures() + (_with_text(),)


def _other_pictures() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [good.path for good in make_good(Path(folder, "good")).values()]
        paths += [bad.path for bad in make_bad(Path(folder, "bad")).values()]
        return tuple(path.read_bytes() for path in paths if path.is_file())


def _saved(kind: str, mode: str, **options: Any) -> bytes:
    """Return a picture in a format; nothing where this Pillow can't write it."""
    if "save_all" not in options and kind == "MPO":
        options |= {"save_all": True, "append_images": [_picture(mode)]}
    file = io.BytesIO()
    try:
        _picture(mode).save(file, kind, **options)
    except (OSError, KeyError, ValueError):
        return b""
    return file.getvalue()


def _picture(mode: str) -> Image.Image:
    noise = Random(0).randbytes(24 * 16 * 3)
    pixels = np.where(
        np.arange(24)[:, None] < 12, halves(), np.frombuffer(noise, np.uint8).reshape(16, 24, 3)
    )
    image = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    return image.convert("L").convert(mode) if mode in ("LA", "I", "F") else image.convert(mode)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "maker"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    return exif


def _with_text() -> bytes:
    """Return a PNG file with the chunks that photo editors add."""
    png = _saved("PNG", "RGB")
    extra = {b"tEXt": b"Title\0x", b"iTXt": b"T\0\0\0en\0t\0x", b"gAMA": b"\0\0\xb1\x8f"}
    extra |= {b"pHYs": b"\0\0\x0b\x13\0\0\x0b\x13\1", b"tRNS": b"\0\xff\0\0\0\0"}
    chunks = b"".join(png_chunk(kind, content) for kind, content in extra.items())
    return png[:33] + chunks + png[33:]


@cache
def videos() -> tuple[bytes, ...]:
    """Return clips of a few frames in every container and codec that this FFmpeg can write."""
    with tempfile.TemporaryDirectory() as folder:
        clips = []
        for number, (suffix, codec) in enumerate(_CODECS):
            try:
                clips.append(_clip(Path(folder, f"{number}.{suffix}"), codec))
            except (av.FFmpegError, ValueError):
                continue
    return (*clips, _turned(clips[0]))


def _clip(path: Path, codec: str) -> bytes:
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=_QUIET.get(codec))
        video.width = video.height = _SIDE
        video.pix_fmt = (video.codec.video_formats or [av.VideoFormat("yuv420p")])[0].name
        sound = container.add_stream("aac", rate=44100) if path.suffix == ".mp4" else None
        container.metadata["title"] = "a title"
        for image in _frames():
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if sound is not None:
            beep = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), "fltp", "mono")
            beep.sample_rate, beep.pts = 44100, 0
            container.mux(sound.encode(beep))
            container.mux(sound.encode())
    return path.read_bytes()


def _turned(clip: bytes) -> bytes:
    return clip.replace(_UPRIGHT, _TURNED)


def _frames() -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
    for number in range(_FRAMES):
        yield np.roll(still, 3 * number, axis=1)


@cache
def archives() -> tuple[bytes, ...]:
    """Return zip files of photos under many names and compressions."""
    photos = pictures()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    mixed = {f"{i}.{'jpg' if i % 2 else 'png'}": data for i, data in enumerate(photos[:8])}
    files = [_zip(mixed, method) for method in methods]
    names = [name.encode("utf-8", "replace").decode() for name in HOSTILE if len(name) < 100]
    files.append(_zip({f"{name}.png": photos[5] for name in names if "\0" not in name}))
    files.append(_zip({"../up.png": photos[5], "/root.png": photos[5], "C:\\x.png": photos[5]}))
    files.append(_zip({"inner.zip": files[0], "a.png": photos[5], "folder/": b""}))
    return (*files, _zip({}), _zip({"bomb.png": bytes(3_000_000)}, zipfile.ZIP_DEFLATED))


@cache
def datasets() -> tuple[bytes, ...]:
    """Return zip files of labelled images, in folders and in a table."""
    table = {"fer2013.csv": small_csv()}
    return _zip(image_folder()), _zip(image_folder("data/")), _zip(table, zipfile.ZIP_DEFLATED)


def _zip(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()
