"""Fixed filters for the parts of a face: edges, bars, blobs and arcs.

Gabor-like edges and bars lie along brows, lids and the sides of the nose, Laplacian-of-Gaussian
blobs on pupils and nostrils, arcs along the mouth and the jaw.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

SIDE = 9
_ANGLES = 6
Grid = tuple[NDArray[np.float64], NDArray[np.float64]]


def _grid() -> Grid:
    axis = np.arange(SIDE) - SIDE // 2
    x, y = np.meshgrid(axis, axis)
    return x.astype(np.float64), y.astype(np.float64)


def _oriented(angle: float, width: float, *, odd: bool) -> NDArray[np.float64]:
    """Return an edge (odd) or a bar (even): derivatives of a Gaussian across the angle."""
    x, y = _grid()
    across = -x * np.sin(angle) + y * np.cos(angle)
    along = x * np.cos(angle) + y * np.sin(angle)
    window = np.exp(-(across**2) / (2 * width**2) - along**2 / (2 * (2 * width) ** 2))
    values: NDArray[np.float64] = window * (across if odd else 1 - across**2 / width**2)
    return values


def _blob(width: float) -> NDArray[np.float64]:
    x, y = _grid()
    r2 = (x**2 + y**2) / width**2
    return (1 - r2 / 2) * np.exp(-r2 / 2)


def _arc(radius: float, side: int, *, width: float = 1.0) -> NDArray[np.float64]:
    """Return an arc of a circle that opens upwards (-1), like a smile, or downwards (1)."""
    x, y = _grid()
    distance = np.hypot(x, y + side * radius) - radius
    return np.exp(-(distance**2) / (2 * width**2)) * (1 - distance**2 / width**2)


def face_kernels() -> Tensor:
    """Return float32 filters ``(F, 1, 9, 9)`` of zero mean and unit norm."""
    angles = [i * np.pi / _ANGLES for i in range(_ANGLES)]
    kernels = [
        _oriented(a, w, odd=odd) for w in (1.0, 1.8) for a in angles for odd in (True, False)
    ]
    kernels += [_blob(width) for width in (0.8, 1.3, 2.0)]
    kernels += [_arc(radius, side) for radius in (4.0, 7.0) for side in (-1, 1)]
    stack = np.stack(kernels)
    stack -= stack.mean((1, 2), keepdims=True)
    stack /= np.sqrt((stack**2).sum((1, 2), keepdims=True))
    return torch.from_numpy(stack.astype(np.float32))[:, None]


class FaceKernels(nn.Module):
    """A first layer that is never trained: the image convolved with every fixed filter.

    Colour images are averaged to grey first.
    """

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernels", face_kernels())
        self.norm = nn.BatchNorm2d(len(self.kernels))

    @property
    def channels(self) -> int:
        """Number of filters F."""
        return len(self.kernels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, F, H, W)``."""
        grey = x.mean(1, keepdim=True)
        out: Tensor = self.norm(nn.functional.conv2d(grey, self.kernels, padding=SIDE // 2)).relu()
        return out
