"""Random changes to training images: drawn for each image, applied to the whole batch at once.

All geometric changes of an image are combined in one homography and so need one resampling, which
keeps small faces sharp and costs a fraction of a chain of transforms.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from utils.training.augmentation.sharpness import compress, soften

# JPEG of this quality has no visible loss.
_BEST_QUALITY = 95


@dataclass(frozen=True)
class _Draw:
    """Random numbers of a generator on the CPU; None is torch's global one."""

    generator: torch.Generator | None

    def uniform(self, *shape: int) -> Tensor:
        """Draw values in 0..1, uniformly."""
        return torch.rand(shape, generator=self.generator)

    def signed(self, n: int) -> Tensor:
        """Draw ``(n,)`` values in -1..1, uniformly."""
        return self.uniform(n) * 2 - 1


@dataclass(frozen=True)
class Augmentation:
    """Probabilities and ranges of the random changes; 0 is off, ranges are symmetric about it.

    Attributes:
        flip: Probability of a horizontal flip.
        rotation: Largest angle, in degrees.
        shift: Largest shift, as a share of the image side.
        shear: Largest shear, in degrees.
        zoom: Largest relative change of scale.
        perspective: Largest projective term, in normalised coordinates.
        brightness: Largest value added to values in 0..1.
        contrast: Largest relative change of contrast about the image's mean.
        erasing: Probability that one rectangle of 2 to 20% of the area is erased.
        exposure: Largest absolute logarithm (base 2) of a gamma.
        coarseness: Probability of losing fine detail, as with few pixels or poor focus.
        noise: Largest standard deviation of added sensor noise, for values in 0..1.
        degraded: Probability of each of the following three.
        resolution: Smallest side an image is reduced to and enlarged from, as a share of its own.
        blur: Largest standard deviation of a Gaussian, as a share of the image side.
        quality: Lowest quality of JPEG compression, 1..95.
    """

    flip: float = 0.0
    rotation: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    perspective: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    erasing: float = 0.0
    exposure: float = 0.0
    coarseness: float = 0.0
    noise: float = 0.0
    degraded: float = 0.0
    resolution: float = 1.0
    blur: float = 0.0
    quality: int = _BEST_QUALITY

    def __call__(
        self, images: Tensor, size: int | None = None, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Change a batch at random.

        Args:
            images: Float ``(N, C, S, S)`` in 0..1.
            size: Side of the output in pixels; S if None.
            generator: Source of all randomness, on the CPU; torch's global one if None.

        Returns:
            Float ``(N, C, size, size)`` in 0..1.
        """
        draw, size = _Draw(generator), size or images.shape[-1]
        if self._is_geometric or size != images.shape[-1]:
            images = self._warp(images, size, draw)
        if self.coarseness:
            images = self._coarsen(images, draw)
        if self.exposure:
            gamma = 2 ** (draw.signed(len(images)) * self.exposure)
            images = images.clamp(0, 1) ** _column(gamma, images)
        if self.brightness or self.contrast:
            images = self._jitter(images, draw)
        if self.erasing:
            images = self._erase(images, draw)
        if self.degraded:
            images = self._degrade(images, draw)
        return self._add_noise(images, draw) if self.noise else images

    @property
    def _is_geometric(self) -> bool:
        return any((self.flip, self.rotation, self.shift, self.shear, self.zoom, self.perspective))

    def _warp(self, images: Tensor, size: int, draw: _Draw) -> Tensor:
        homography = self._homographies(len(images), draw).to(images.device)
        axis = (torch.arange(size, device=images.device) * 2 + 1) / size - 1
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        points = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
        mapped = points @ homography.transpose(1, 2)  # (N, size * size, 3)
        grid = (mapped[..., :2] / mapped[..., 2:]).view(-1, size, size, 2)
        return F.grid_sample(
            images, grid.to(images.dtype), padding_mode="border", align_corners=False
        )

    def _homographies(self, n: int, draw: _Draw) -> Tensor:
        """Return ``(n, 3, 3)`` maps from output to input, in normalised coordinates -1..1."""
        angle = draw.signed(n) * math.radians(self.rotation)
        shear = torch.tan(draw.signed(n) * math.radians(self.shear))
        scale = 1 + draw.signed(n) * self.zoom
        mirror = torch.where(draw.uniform(n) < self.flip, -1.0, 1.0)
        cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
        matrix = torch.zeros(n, 3, 3)
        matrix[:, 0, 0] = cos * mirror
        matrix[:, 0, 1] = cos * shear - sin
        matrix[:, 1, 0] = sin * mirror
        matrix[:, 1, 1] = sin * shear + cos
        matrix[:, 0, 2] = draw.signed(n) * self.shift * 2
        matrix[:, 1, 2] = draw.signed(n) * self.shift * 2
        matrix[:, 2, 0] = draw.signed(n) * self.perspective
        matrix[:, 2, 1] = draw.signed(n) * self.perspective
        matrix[:, 2, 2] = 1
        return matrix

    def _jitter(self, images: Tensor, draw: _Draw) -> Tensor:
        n = len(images)
        contrast = _column(1 + draw.signed(n) * self.contrast, images)
        brightness = _column(draw.signed(n) * self.brightness, images)
        mean = images.mean((1, 2, 3), keepdim=True)
        return ((images - mean) * contrast + mean + brightness).clamp(0, 1)

    def _erase(self, images: Tensor, draw: _Draw) -> Tensor:
        """Fill one rectangle per image with its mean.

        Random erasing after Zhong et al., 2017 (https://arxiv.org/abs/1708.04896).
        """
        n, size, device = len(images), images.shape[-1], images.device
        area, ratio = draw.uniform(n) * 0.18 + 0.02, torch.exp(draw.signed(n) * math.log(2.5))
        height, width = (area * ratio).sqrt() * size, (area / ratio).sqrt() * size
        top, left = draw.uniform(n) * (size - height), draw.uniform(n) * (size - width)
        axis = torch.arange(size)
        rows = (axis >= top[:, None]) & (axis < (top + height)[:, None])
        columns = (axis >= left[:, None]) & (axis < (left + width)[:, None])
        chosen = (draw.uniform(n) < self.erasing)[:, None, None]
        mask = (rows[:, :, None] & columns[:, None, :] & chosen)[:, None].to(device)
        return torch.where(mask, images.mean((1, 2, 3), keepdim=True), images)

    def _coarsen(self, images: Tensor, draw: _Draw) -> Tensor:
        """Shrink some images of the batch to 40 to 80% and enlarge them again."""
        chosen = draw.uniform(len(images)) < self.coarseness
        if not chosen.any():
            return images
        size = images.shape[-1]
        small = int(size * (0.4 + 0.4 * draw.uniform().item()))
        coarse = F.interpolate(images[chosen], size=small, mode="area")
        enlarged = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        return images.index_copy(0, chosen.nonzero()[:, 0].to(images.device), enlarged)

    def _degrade(self, images: Tensor, draw: _Draw) -> Tensor:
        """Take resolution, focus and quality away as a camera and its files do, in this order."""
        n = len(images)
        reduced, blurred, compressed = draw.uniform(3, n) < self.degraded
        scales = self.resolution + (1 - self.resolution) * draw.uniform(n)
        sigmas = self.blur * draw.uniform(n)
        images = soften(
            images, torch.where(reduced, scales, 1.0), torch.where(blurred, sigmas, 0.0)
        )
        qualities = torch.randint(self.quality, _BEST_QUALITY + 1, (n,), generator=draw.generator)
        if not compressed.any():
            return images
        chosen = compressed.nonzero()[:, 0]
        decoded = compress(images[chosen.to(images.device)], qualities[chosen])
        return images.index_copy(0, chosen.to(images.device), decoded)

    def _add_noise(self, images: Tensor, draw: _Draw) -> Tensor:
        # Squared, so that most images get little noise.
        deviation = _column(draw.uniform(len(images)) ** 2 * self.noise, images)
        noise = torch.randn(images.shape, generator=draw.generator).to(images)
        return (images + noise * deviation).clamp(0, 1)


def _column(values: Tensor, images: Tensor) -> Tensor:
    """Return ``(n,)`` values as ``(n, 1, 1, 1)`` on the device of the images."""
    return values.to(images.device).view(-1, 1, 1, 1)
