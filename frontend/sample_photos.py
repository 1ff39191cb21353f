"""Sample photos: one portrait, and the same made difficult."""

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from utils.media.images import load_image
from utils.processing.distortions import cover, darken, defocus, flip_region, mirror_pair

SAMPLE_PHOTO = Path(__file__).parent / "samples" / "astronaut.jpg"
# Rows and columns of the photo.
_HEAD = slice(0, 300), slice(80, 380)
_EYES = slice(56, 120), slice(170, 280)
_MOUTH = slice(124, 162), slice(196, 252)


@st.cache_data(show_spinner=False)
def sample_photos() -> dict[str, NDArray[np.uint8]]:
    """Return the photos by name, RGB uint8 ``(H, W, 3)``."""
    photo = load_image(SAMPLE_PHOTO)
    return {
        "A portrait": photo,
        "Two faces": mirror_pair(photo, _HEAD),
        "Too dark": darken(photo, 0.12),
        "Out of focus": defocus(photo, 6),
        "Upside-down mouth": flip_region(photo, _MOUTH),
        "Covered eyes": cover(photo, _EYES),
    }
