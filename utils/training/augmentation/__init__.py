"""Random changes to training images: the presets, and mixing in pairs."""

from dataclasses import replace

from utils.errors import ConfigError
from utils.training.augmentation.changes import Augmentation
from utils.training.augmentation.mixing import build_mixing

__all__ = ["AUGMENTATIONS", "Augmentation", "build_augmentation", "build_mixing"]

_LIGHT = Augmentation(
    flip=0.5, rotation=6, shift=0.04, zoom=0.08, brightness=0.2, contrast=0.2, erasing=0.1
)

AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "basic": Augmentation(flip=0.5, brightness=0.2, contrast=0.2),
    "light": _LIGHT,
    "sharpness": replace(
        _LIGHT, exposure=0.6, contrast=0.3, degraded=0.6, resolution=0.25, blur=0.025, quality=25
    ),
    "full": Augmentation(
        flip=0.5,
        rotation=10,
        shift=0.08,
        shear=6,
        zoom=0.15,
        perspective=0.08,
        brightness=0.25,
        contrast=0.35,
        erasing=0.25,
    ),
    "webcam": Augmentation(
        flip=0.5,
        rotation=18,
        shift=0.08,
        shear=6,
        zoom=0.15,
        perspective=0.08,
        brightness=0.15,
        contrast=0.35,
        erasing=0.3,
        exposure=1.2,
        coarseness=0.25,
        noise=0.08,
    ),
}


def build_augmentation(name: str) -> Augmentation:
    """Return an augmentation of ``AUGMENTATIONS`` by name.

    Raises:
        ConfigError: The name is unknown.
    """
    if name not in AUGMENTATIONS:
        raise ConfigError(f"unknown augmentation {name!r}; known: {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[name]
