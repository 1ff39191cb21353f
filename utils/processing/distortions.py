"""Distortions that a viewer sets by hand, to see when the model fails.

``utils.processing.corruptions`` has the fixed set that robustness is measured with.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from utils.media.images import Image
from utils.results import Box

# Rows and columns of a part of an image.
Region = tuple[slice, slice]

# Pixels of the face that the blur is given for; larger faces are blurred in proportion.
REFERENCE_FACE = 88
_COVER = (40, 40, 44)


@dataclass(frozen=True)
class Distortion:
    """How an image is distorted; the defaults leave it as it is.

    Attributes:
        blur: Standard deviation of a Gaussian in pixels, for a face ``REFERENCE_FACE`` wide.
        light: Factor of the brightness.
        noise: Standard deviation of Gaussian noise in grey levels.
        rotation: Degrees around the centre of the face, anticlockwise.
    """

    blur: float = 0.0
    light: float = 1.0
    noise: float = 0.0
    rotation: float = 0.0


def distort(image: Image, box: Box, distortion: Distortion) -> Image:
    """Return a distorted copy of an image: rotated, blurred, relit and with noise, in this order.

    The noise is the same in every call.

    Args:
        image: RGB uint8 ``(H, W, 3)``.
        box: The face, ``(x1, y1, x2, y2)`` in pixels.
        distortion: What to do.
    """
    center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    matrix = cv2.getRotationMatrix2D(center, distortion.rotation, 1.0)
    changed = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    if distortion.blur:
        sigma = distortion.blur * ((box[2] - box[0]) / REFERENCE_FACE)
        changed = cv2.GaussianBlur(changed, (0, 0), sigma)
    values = changed.astype(np.float32) * distortion.light
    if distortion.noise:
        values += np.random.default_rng(0).normal(0, distortion.noise, values.shape)
    result: Image = np.clip(values, 0, 255).astype(np.uint8)
    return result


def darken(image: Image, light: float) -> Image:
    """Return a copy with a share of the light, 0..1."""
    return (image * light).astype(np.uint8)


def defocus(image: Image, sigma: float) -> Image:
    """Return a copy blurred by a Gaussian of ``sigma`` pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def cover(image: Image, region: Region) -> Image:
    """Return a copy with a region painted over in dark grey."""
    covered: Image = image.copy()
    covered[region] = _COVER
    return covered


def flip_region(image: Image, region: Region) -> Image:
    """Return a copy with a region upside down."""
    flipped: Image = image.copy()
    flipped[region] = image[region][::-1]
    return flipped


def mirror_pair(image: Image, region: Region) -> Image:
    """Return a region of an image beside its mirror image, ``(h, 2 w, 3)``."""
    part = image[region]
    return np.concatenate([part, part[:, ::-1]], axis=1)
