"""A small labelled dataset of drawn faces, easy enough to be learnt in seconds."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SPLIT_SIZES = {"train": 128, "validation": 16, "test": 16}


def draw_face(emotion: str, rng: np.random.Generator, side: int = 32) -> NDArray[np.uint8]:
    """Draw a grey face whose mouth shows happy, sad or surprise."""
    image = rng.integers(60, 110, (side, side)).astype(np.uint8)
    x, y = (int(side / 2 + rng.integers(-2, 3)) for _ in range(2))
    cv2.circle(image, (x, y), side * 13 // 32, 210, -1)
    for dx in (-5, 5):
        cv2.circle(image, (x + dx, y - 4), 2, 30, -1)
    if emotion == "happy":
        cv2.ellipse(image, (x, y + 3), (6, 5), 0, 10, 170, 20, 2)
    elif emotion == "sad":
        cv2.ellipse(image, (x, y + 9), (6, 5), 0, 190, 350, 20, 2)
    else:
        cv2.circle(image, (x, y + 6), 3, 20, -1)
    return image


def make_face_folder(
    root: Path, classes: dict[str, str] | None = None, sizes: dict[str, int] | None = None
) -> Path:
    """Write ``REPO/SPLIT/CLASS/*.png`` and return ``REPO``.

    Args:
        root: The data folder.
        classes: Class name to the drawn emotion; happy, sad and surprise if None.
        sizes: Split to number of images per class.
    """
    rng = np.random.default_rng(0)
    classes = classes or {name: name for name in ("happy", "sad", "surprise")}
    for split, count in (sizes or SPLIT_SIZES).items():
        for name, emotion in classes.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(folder / f"{split}_{name}_{i:04d}.png"), draw_face(emotion, rng))
    return root
