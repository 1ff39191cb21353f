"""Clips of 640x480 frames to measure with: a video's first seconds, or a moving photo."""

import math
from pathlib import Path

import cv2
import numpy as np

from utils.errors import ConfigError, VideoError
from utils.media.images import Image
from utils.media.video import VideoReader

FPS = 30
WIDTH, HEIGHT = 640, 480
_MAX_SECONDS = 20
_PHOTO_SECONDS = 4
# Rows and columns of the face in the astronaut photo.
_FACE = slice(20, 240), slice(120, 340)

Clip = list[Image]


def frame_index(number: int, length: int) -> int:
    """Return the index of the ``number``-th frame of a clip that plays forwards, then backwards.

    Args:
        number: Counts the frames shown so far, from 0.
        length: Frames of the clip, at least 2.
    """
    position = number % (2 * length - 2)
    return min(position, 2 * length - 2 - position)


def astronaut_photo() -> Image:
    """Return scikit-image's photo of an astronaut, RGB uint8 ``(512, 512, 3)``.

    Raises:
        ConfigError: scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise ConfigError(
            "the example photo is part of scikit-image; install it, or choose --video FILE"
        ) from error
    photo: Image = astronaut()  # type: ignore[no-untyped-call]
    return photo


def photo_bytes() -> bytes:
    """Return a 640x480 JPEG file with one face.

    Raises:
        ConfigError: scikit-image is not installed.
    """
    photo = cv2.copyMakeBorder(astronaut_photo()[:HEIGHT], 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    return cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))[1].tobytes()


def example_clip(faces: int) -> Clip:
    """Return a clip of a moving photo with a number of faces.

    Raises:
        ConfigError: scikit-image is not installed.
    """
    photo = astronaut_photo()
    return moving_photo(photo if faces == 1 else photo[_FACE], faces)


def moving_photo(photo: Image, faces: int = 1) -> Clip:
    """Return a clip of four seconds that pans and zooms over a photo.

    Args:
        photo: RGB uint8 ``(H, W, 3)`` with one face.
        faces: How many copies of the photo are shown side by side.
    """
    columns = math.ceil(math.sqrt(faces * WIDTH / HEIGHT)) if faces > 1 else 1
    rows = math.ceil(faces / columns)
    tiles = [photo if i < faces else np.zeros_like(photo) for i in range(rows * columns)]
    sheet = np.vstack([np.hstack(tiles[r * columns : (r + 1) * columns]) for r in range(rows)])
    fit = min if faces > 1 else max
    scale = fit(WIDTH / sheet.shape[1], HEIGHT / sheet.shape[0])
    clip = []
    for number in range(_PHOTO_SECONDS * FPS):
        phase = 2 * np.pi * number / (_PHOTO_SECONDS * FPS)
        zoom = scale * (1 + (0.1 + 0.1 * np.cos(phase)) * (faces == 1))
        shift = (30 * np.sin(phase) / columns, 15 * np.sin(2 * phase) / columns)
        move = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        frame = cv2.warpAffine(
            sheet, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        clip.append(frame.astype(np.uint8))
    return clip


def read_clip(path: Path) -> Clip:
    """Read up to twenty seconds of a video, scaled to 640x480.

    Raises:
        VideoError: The video can't be read, or has fewer than two frames.
    """
    clip: Clip = []
    with VideoReader(path) as video:
        for frame in video:
            clip.append(np.asarray(cv2.resize(frame.image, (WIDTH, HEIGHT)), np.uint8))
            if len(clip) == _MAX_SECONDS * FPS:
                break
    if len(clip) < 2:
        raise VideoError(f"{path}: has fewer than two frames")
    return clip
