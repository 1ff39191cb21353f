"""The emotions' colours can be told apart, by people with colour-blindness too."""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab
from wcag import linear_rgb

from utils.emotions import COLORS, COLORS_ON_DARK, COLORS_ON_LIGHT

# Simulation of complete colour-blindness on linear RGB: Machado et al., 2009,
# https://doi.org/10.1109/TVCG.2009.113.
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
# CIEDE2000; about 2 can just be told apart when side by side.
LEAST = 8.0


def seen(color: str, sight: object) -> np.ndarray:
    linear = np.clip(np.asarray(sight) @ linear_rgb(color), 0, 1)
    back = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(back[None, None])[0, 0]


@pytest.mark.parametrize("colors", [COLORS, COLORS_ON_LIGHT, COLORS_ON_DARK])
@pytest.mark.parametrize("sight", SIGHT)
def test_colours_can_be_told_apart(sight: str, colors: dict[str, str]) -> None:
    labs = {name: seen(color, SIGHT[sight]) for name, color in colors.items()}
    for one, other in combinations(labs, 2):
        assert deltaE_ciede2000(labs[one], labs[other]) > LEAST, (one, other)
