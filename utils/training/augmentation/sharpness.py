"""Loss of fine detail: low resolution, poor focus and compression, for each image by itself.

Resampling and blur are linear along each axis, so for every image both become one matrix for the
rows and columns, and the whole batch takes two batched matrix products.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# A Gaussian this narrow, in pixels, changes nothing.
_NO_BLUR = 0.01


def soften(images: Tensor, scales: Tensor, sigmas: Tensor) -> Tensor:
    """Blur images, reduce them and enlarge them to their former size.

    Args:
        images: Float ``(N, C, S, S)`` in 0..1.
        scales: float32 ``(N,)`` in 0..1, side of the reduced image as a share of S; 1 keeps all
            pixels.
        sigmas: float32 ``(N,)``, standard deviation of a Gaussian as a share of S; 0 is no blur.

    Returns:
        Float ``(N, C, S, S)`` in 0..1: reduced by area averaging, enlarged bilinearly.
    """
    side = images.shape[-1]
    sides = (scales * side).round().clamp(1, side).view(-1, 1, 1)
    matrix = _enlarging(sides, side) @ _reducing(sides, side) @ _blurring(sigmas * side, side)
    matrix = matrix.to(images.device, images.dtype)[:, None]
    return (matrix @ images @ matrix.transpose(2, 3)).clamp(0, 1)


def compress(images: Tensor, qualities: Tensor) -> Tensor:
    """Compress images as JPEG and decode them.

    Args:
        images: Float ``(N, C, S, S)`` in 0..1, grey or RGB.
        qualities: int64 ``(N,)``, 1..100.

    Returns:
        Float ``(N, C, S, S)`` in 0..1, on the same device.
    """
    pixels = (images.clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    rows = pixels.permute(0, 2, 3, 1).contiguous().numpy()
    decoded = [
        _jpeg(image, quality) for image, quality in zip(rows, qualities.tolist(), strict=True)
    ]
    changed = torch.from_numpy(np.stack(decoded)).permute(0, 3, 1, 2)
    return (changed.to(images.device).to(images.dtype) / 255).contiguous()


def _reducing(sides: Tensor, side: int) -> Tensor:
    """Return ``(N, S, S)`` matrices that average areas; rows beyond an image's side are 0."""
    row, column = _indices(side)
    step = side / sides
    first, last = row * step, (row + 1) * step
    overlap = (torch.minimum(column + 1, last) - torch.maximum(column, first)).clamp(min=0)
    return overlap / step * (row < sides)


def _enlarging(sides: Tensor, side: int) -> Tensor:
    """Return ``(N, S, S)`` matrices that interpolate; columns beyond an image's side are 0."""
    row, column = _indices(side)
    position = ((row + 0.5) * sides / side - 0.5).clamp(min=0).minimum(sides - 1)
    return (1 - (position - column).abs()).clamp(min=0)


def _blurring(sigmas: Tensor, side: int) -> Tensor:
    """Return ``(N, S, S)`` matrices that blur; at the border the weights are those inside."""
    row, column = _indices(side)
    width = sigmas.clamp(min=_NO_BLUR).view(-1, 1, 1)
    weights = torch.exp(-((row - column) ** 2) / (2 * width**2))
    return weights / weights.sum(2, keepdim=True)


def _indices(side: int) -> tuple[Tensor, Tensor]:
    """Return the row ``(1, S, 1)`` and the column ``(1, 1, S)`` of each matrix element."""
    axis = torch.arange(side, dtype=torch.float32)
    return axis.view(1, -1, 1), axis.view(1, 1, -1)


def _jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return uint8 ``(S, S, C)``, grey or RGB, as JPEG stores it."""
    encoded, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise RuntimeError("OpenCV can't write JPEG")
    decoded: NDArray[np.uint8] = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
    return decoded.reshape(image.shape)[..., ::-1]
