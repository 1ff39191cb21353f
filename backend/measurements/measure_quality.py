"""Measure the limits of utils/faces/quality.py: how small, dark or blurred a readable face may be.

Example: python backend/measurements/measure_quality.py --data images
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.console.cli import run
from utils.faces.quality import sharpness
from utils.model.classifier import EmotionClassifier
from utils.processing.dataset import load_split

Grey = NDArray[np.uint8]
SENSOR_NOISE = 4.0  # grey levels, what a webcam adds in a dark room


def shrunk(face: Grey, side: float) -> Grey:
    """Return a face as a camera with few pixels shows it."""
    small = cv2.resize(face, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def darkened(face: Grey, share: float) -> Grey:
    """Return a face with a share of its light, and sensor noise."""
    noise = np.random.default_rng(int(face.sum())).normal(0, SENSOR_NOISE, face.shape)
    return np.clip(face * share + noise, 0, 255).astype(np.uint8)


def blurred(face: Grey, sigma: float) -> Grey:
    """Return a face out of focus."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma), np.uint8)


Change = Callable[[Grey, float], Grey]
_CHANGES: dict[str, tuple[Change, tuple[float, ...]]] = {
    "pixels": (shrunk, (36, 24, 18, 16, 15, 14, 12)),
    "light": (darkened, (0.5, 0.3, 0.2, 0.15, 0.1)),
    "blur": (blurred, (0.5, 1, 1.5, 1.75, 2, 2.5)),
}


def main() -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("images"), help="prepared data folder")
    parser.add_argument("--model", type=Path, metavar="FILE", help="default: the bundled model")
    args = parser.parse_args()
    classifier = EmotionClassifier.load(args.model)
    folder = load_split(
        args.data,
        "validation",
        preprocessing=classifier.preprocessing,
        classes=classifier.classes,
    )
    majority = folder.ferplus_majority()
    labels = folder.labels if majority is None else majority
    kept = np.flatnonzero(labels >= 0)
    faces = folder.batch(kept).mean(1).astype(np.uint8)
    print("change         right   median brightness   median sharpness")
    for name, (change, strengths) in _CHANGES.items():
        for strength in strengths:
            changed = [change(face, strength) for face in faces]
            rgb = np.repeat(np.stack(changed)[..., None], 3, -1)
            right = classifier.predict(rgb).argmax(1) == labels[kept]
            light = np.median([face.mean() for face in changed])
            edges = np.median([sharpness(face.astype(np.float32)) for face in changed])
            print(f"{name:6s} {strength:5g}   {right.mean():6.1%}   {light:17.0f}   {edges:16.3f}")
    return 0


if __name__ == "__main__":
    run(main)
