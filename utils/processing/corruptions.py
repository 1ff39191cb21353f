"""Corruptions of face images as webcams produce them, to measure the accuracy that each costs.

In the manner of ImageNet-C (Hendrycks and Dietterich, 2019, https://arxiv.org/abs/1903.12261). Each
function maps RGB uint8 ``(H, W, 3)`` to the same shape and always gives the same result for the
same image. Lengths are shares of the image's side, so they mean the same for faces of every size.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from utils.media.images import Image

# How far a crop may be from that of another detector or frame: its shift as a share of the side,
# and its relative change of scale.
_SHIFT, _ZOOM = 0.06, 0.1


def blur(image: Image) -> Image:
    """Blur like a lens out of focus: a Gaussian of 3% of the side, 1.4 pixels at 48."""
    return _to_uint8(cv2.GaussianBlur(image, (0, 0), 0.03 * len(image)))


def low_light(image: Image) -> Image:
    """Keep a quarter of the light, with sensor noise of 3 grey levels."""
    return _add_noise(image * 0.25, 3.0)


def noise(image: Image) -> Image:
    """Add the noise of a poor sensor, 15 grey levels."""
    return _add_noise(image, 15.0)


def jpeg_30(image: Image) -> Image:
    """Compress as JPEG with quality 30."""
    encoded, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 30])
    if not encoded:
        raise RuntimeError("OpenCV can't write JPEG")
    return _to_uint8(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])


def small_24(image: Image) -> Image:
    """Reduce the face to 24x24 pixels and enlarge it again."""
    small = cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA)
    return _to_uint8(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def roll_left(image: Image) -> Image:
    """Rotate the face by 20 degrees, anticlockwise."""
    return _rotate(image, 20)


def roll_right(image: Image) -> Image:
    """Rotate the face by 20 degrees, clockwise."""
    return _rotate(image, -20)


def glasses(image: Image) -> Image:
    """Cover the eyes with dark glasses: two discs and a bridge at 38% of the height."""
    out: Image = image.copy()
    side = len(image)
    y, radius = round(0.38 * side), round(0.13 * side)
    for x in (0.3, 0.7):
        cv2.circle(out, (round(x * side), y), radius, (25, 25, 25), -1)
    cv2.line(out, (round(0.3 * side), y), (round(0.7 * side), y), (25, 25, 25), max(1, side // 24))
    return out


def hand(image: Image) -> Image:
    """Cover the left half of mouth and chin like a hand, in the image's mean colour."""
    out: Image = image.copy()
    side = len(image)
    colour = tuple(float(c) for c in image.mean((0, 1)))
    center = (round(0.25 * side), round(0.85 * side))
    cv2.ellipse(out, center, (round(0.3 * side), round(0.25 * side)), 20, 0, 360, colour, -1)
    return out


def colour_cast(image: Image) -> Image:
    """Light the face warmly and white-balance it like a camera, by the grey-world rule.

    Clipped highlights are lost and stay discoloured.
    """
    cast = np.clip(image * np.array([1.5, 1.0, 0.5]), 0, 255)
    means = np.maximum(cast.mean((0, 1)), 1.0)
    return _to_uint8(cast * means.mean() / means)


CORRUPTIONS: dict[str, Callable[[Image], Image]] = {
    "blur": blur,
    "low light": low_light,
    "noise": noise,
    "JPEG 30": jpeg_30,
    "24 pixels": small_24,
    "roll -20°": roll_left,
    "roll +20°": roll_right,
    "glasses": glasses,
    "hand": hand,
    "colour cast": colour_cast,
}


def corrupt_at_random(image: Image, rng: np.random.Generator) -> Image:
    """Return a face as another camera may show it: shifted and zoomed, then corrupted in one way.

    Args:
        image: RGB uint8 ``(S, S, 3)``.
        rng: Draws shift, zoom and one of ``CORRUPTIONS``.
    """
    center = (len(image) - 1) / 2
    zoom = 1 + rng.uniform(-_ZOOM, _ZOOM)
    matrix = np.asarray(cv2.getRotationMatrix2D((center, center), 0, zoom), np.float64)
    matrix[:, 2] += rng.uniform(-_SHIFT, _SHIFT, 2) * len(image)
    moved = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return CORRUPTIONS[rng.choice(list(CORRUPTIONS))](_to_uint8(moved))


def as_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey or RGB uint8 ``(N, C, H, W)`` as RGB uint8 ``(N, H, W, 3)``."""
    rows = pixels.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(np.broadcast_to(rows, (*rows.shape[:3], 3)))


def _to_uint8(image: NDArray[np.generic]) -> Image:
    values: Image = np.clip(np.asarray(image, np.float64).round(), 0, 255).astype(np.uint8)
    return values


def _add_noise(image: NDArray[np.generic], deviation: float) -> Image:
    """Add Gaussian noise seeded by the image, so that runs agree."""
    values = np.asarray(image, np.float64)
    seed = int(values.sum()) % 2**32
    return _to_uint8(values + np.random.default_rng(seed).normal(0, deviation, values.shape))


def _rotate(image: Image, degrees: float) -> Image:
    center = ((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2)
    matrix = cv2.getRotationMatrix2D(center, degrees, 1.0)
    rotated = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return _to_uint8(rotated)
