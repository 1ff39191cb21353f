"""Measure the limits of utils/faces/quality.py: how small, dark or blurred a face may be.

Example: python backend/measurements/measure_quality.py --data images
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.console.cli import ExitCode, run
from backend.console.options import ArgumentParser, build_config
from utils.faces.quality import sharpness
from utils.media.images import Image
from utils.model.classifier import EmotionClassifier
from utils.processing.dataset import load_split

SENSOR_NOISE = 4.0  # standard deviation in grey levels, typical of a webcam in a dark room


@dataclass(frozen=True, kw_only=True)
class MeasureQualityConfig:
    """What to measure.

    Attributes:
        data: Prepared data folder.
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
    """

    data: Path = Path("images")
    model: Path | None = None


@dataclass(frozen=True)
class QualityRow:
    """How the model copes with one strength of a corruption.

    Attributes:
        corruption: ``pixels``, ``light`` or ``blur``.
        strength: Side in pixels, share of the light, or sigma in pixels.
        accuracy: Share of correct predictions.
        brightness: Median of the faces' mean brightness, 0..255.
        sharpness: Median of the faces' sharpness.
    """

    corruption: str
    strength: float
    accuracy: float
    brightness: float
    sharpness: float


def shrink(face: Image, side: float) -> Image:
    """Return a face as a camera with few pixels captures it.

    Args:
        face: uint8 ``(S, S)``.
        side: Side in pixels that the face is reduced to before it is enlarged again.
    """
    small = cv2.resize(face, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def darken(face: Image, share: float) -> Image:
    """Return a face with a share of its light, and sensor noise.

    Args:
        face: uint8 ``(S, S)``.
        share: Factor of the grey levels, 0..1.
    """
    noise = np.random.default_rng(int(face.sum())).normal(0, SENSOR_NOISE, face.shape)
    return np.clip(face * share + noise, 0, 255).astype(np.uint8)


def blur(face: Image, sigma: float) -> Image:
    """Return a face out of focus.

    Args:
        face: uint8 ``(S, S)``.
        sigma: Standard deviation of the Gaussian kernel, in pixels.
    """
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma), np.uint8)


Corruption = Callable[[Image, float], Image]
_CORRUPTIONS: dict[str, tuple[Corruption, tuple[float, ...]]] = {
    "pixels": (shrink, (36, 24, 18, 16, 15, 14, 12)),
    "light": (darken, (0.5, 0.3, 0.2, 0.15, 0.1)),
    "blur": (blur, (0.5, 1, 1.5, 1.75, 2, 2.5)),
}


def parse_args(argv: list[str] | None = None) -> MeasureQualityConfig:
    """Return the configuration that the command line describes."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("images"), help="prepared data folder")
    parser.add_argument("--model", type=Path, metavar="FILE", help="default: the bundled model")
    return build_config(MeasureQualityConfig, vars(parser.parse_args(argv)))


def measure(config: MeasureQualityConfig) -> Iterator[QualityRow]:
    """Yield the accuracy for every strength of every corruption.

    Raises:
        CheckpointError: The model can't be used.
        DataError: The data folder has no usable validation split.
    """
    classifier = EmotionClassifier.load(config.model)
    folder = load_split(
        config.data,
        "validation",
        preprocessing=classifier.preprocessing,
        classes=classifier.classes,
    )
    majority = folder.ferplus_majority()
    labels = folder.labels if majority is None else majority
    kept = np.flatnonzero(labels >= 0)
    faces = folder.batch(kept).mean(1).astype(np.uint8)
    for name, (corrupt, strengths) in _CORRUPTIONS.items():
        for strength in strengths:
            corrupted = [corrupt(face, strength) for face in faces]
            rgb = np.repeat(np.stack(corrupted)[..., None], 3, -1)
            correct = classifier.predict(rgb).argmax(1) == labels[kept]
            yield QualityRow(
                corruption=name,
                strength=strength,
                accuracy=float(correct.mean()),
                brightness=float(np.median([face.mean() for face in corrupted])),
                sharpness=float(
                    np.median([sharpness(face.astype(np.float32)) for face in corrupted])
                ),
            )


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    for number, row in enumerate(measure(config)):
        if not number:
            print("corruption     correct   median brightness   median sharpness")
        print(
            f"{row.corruption:6s} {row.strength:5g}    {row.accuracy:6.1%}   "
            f"{row.brightness:17.0f}   {row.sharpness:16.3f}"
        )
    return ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
