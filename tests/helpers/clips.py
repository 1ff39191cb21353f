"""Videos made of images, good and damaged."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FPS = 10


def write_clip(
    path: Path, images: list[NDArray[np.uint8]], times: list[float], sound: bool = False
) -> Path:
    """Write images at given times, with a beep if wanted."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("aac", rate=44100) if sound else None
        if audio:
            audio.layout = "mono"
            tone = np.sin(np.arange(44100 * 2) / 20).astype(np.float32)[None]
            beep = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            beep.sample_rate, beep.pts = 44100, 0
            container.mux(audio.encode(beep))
            container.mux(audio.encode())
        for image, time in zip(images, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


def grey_clip(path: Path, count: int = 10, side: int = 64) -> Path:
    """Write a clip of grey squares, each lighter than the one before."""
    images = [np.full((side, side, 3), 20 * i, np.uint8) for i in range(count)]
    return write_clip(path, images, [i / FPS for i in range(count)])


def unknown_codec(path: Path) -> Path:
    """Write an MP4 file whose four-character code nobody knows."""
    data = bytearray(grey_clip(path).read_bytes())
    at = data.rindex(b"avc1", 0, data.index(b"avcC"))
    data[at : at + 4] = b"zzzz"
    path.write_bytes(data)
    return path


def latin_1_title(path: Path) -> Path:
    """Write an AVI file whose title is not UTF-8."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "cafe TITLE"
        video = container.add_stream("mpeg4", rate=FPS)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        for i in range(5):
            image = np.full((64, 64, 3), 20 * i, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
    path.write_bytes(path.read_bytes().replace(b"cafe TITLE", b"caf\xe9 TITLE"))
    return path


def growing_frames(path: Path, sides: list[int]) -> Path:
    """Write a Motion JPEG file of squares; its header tells the size of the first."""
    frames = [BytesIO() for _ in sides]
    for frame, side in zip(frames, sides, strict=True):
        Image.new("RGB", (side, side)).save(frame, "JPEG")
    path.write_bytes(b"".join(frame.getvalue() for frame in frames))
    return path
