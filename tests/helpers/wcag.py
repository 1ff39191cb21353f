"""Contrast by WCAG 2.2."""

import numpy as np
from PIL import ImageColor

LINEAR_BELOW = 0.04045


def linear_rgb(color: str) -> np.ndarray:
    """Return the linear RGB of a ``#RRGGBB`` colour, 0..1."""
    rgb = np.array(ImageColor.getrgb(color)[:3]) / 255
    return np.where(rgb <= LINEAR_BELOW, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two ``#RRGGBB`` colours, 1..21."""
    luminances = [float(linear_rgb(color) @ (0.2126, 0.7152, 0.0722)) for color in (one, other)]
    return (max(luminances) + 0.05) / (min(luminances) + 0.05)


def mixed(color: str, share: float, background: str) -> str:
    """Return a colour with an opacity of ``share`` over a background, as ``#RRGGBB``."""
    over, under = (np.array(ImageColor.getrgb(c)[:3]) for c in (color, background))
    red, green, blue = np.rint(share * over + (1 - share) * under).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"
