"""Measure how soon a change of expression shows, and how stable the label of a still face is.

Three forms of smoothing are compared: none, fixed and adaptive. Each clip is made of a pair of
validation faces with different expressions: one face, then the other, with the noise of a camera
and a slight jitter in every frame. Example:

    python backend/measurements/measure_smoothing.py --data images
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.console.cli import ExitCode, run
from backend.console.options import ArgumentParser, build_config, check_at_least_one
from utils.defaults import INTERVAL
from utils.inference.tracking.smoothing import Smoother, Smoothing
from utils.media.images import Image
from utils.model.classifier import EmotionClassifier
from utils.processing.dataset import load_split

FPS, SECONDS = 30, 5.0  # of each half of a clip
NOISE, JITTER = 4.0, 0.7  # standard deviations: grey levels, pixels
SETTLING = 0.1  # share of a clip after the change in which the label may still change
FORMS = {
    "raw": Smoothing(Smoother(0.0), change=None, hysteresis=0.0),
    "fixed": Smoothing(change=None, hysteresis=0.0),
    "adaptive, as used": Smoothing(),
}


@dataclass(frozen=True, kw_only=True)
class MeasureSmoothingConfig:
    """What to measure.

    Attributes:
        data: Prepared data folder.
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        clips: Number of pairs of faces.
        interval: Every N-th frame is classified.
    """

    data: Path = Path("images")
    model: Path | None = None
    clips: int = 60
    interval: int = INTERVAL

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A number is below 1.
        """
        check_at_least_one(clips=self.clips, interval=self.interval)

    @property
    def step(self) -> float:
        """Seconds between two classified frames."""
        return self.interval / FPS


@dataclass(frozen=True)
class SmoothingRow:
    """How one form of smoothing performs.

    Attributes:
        form: Its name.
        median_delay: Median seconds from a change of the face to the change of the label.
        p95_delay: 95th percentile of the same.
        flips: Changes of the label in ten seconds while the face is still, mean.
    """

    form: str
    median_delay: float
    p95_delay: float
    flips: float


def parse_args(argv: list[str] | None = None) -> MeasureSmoothingConfig:
    """Return the configuration that the command line describes.

    Raises:
        ConfigError: An option is out of range.
    """
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("images"), help="prepared data folder")
    parser.add_argument("--model", type=Path, metavar="FILE", help="default: the bundled model")
    parser.add_argument("--clips", type=int, default=60, help="pairs of faces (default: 60)")
    parser.add_argument(
        "--interval",
        type=int,
        default=INTERVAL,
        help=f"classify every N-th frame (default: {INTERVAL})",
    )
    return build_config(MeasureSmoothingConfig, vars(parser.parse_args(argv)))


def measure(config: MeasureSmoothingConfig) -> list[SmoothingRow]:
    """Measure every form of smoothing on the same clips.

    Raises:
        CheckpointError: The model can't be used.
        DataError: The data folder has no usable validation split.
    """
    classifier = EmotionClassifier.load(config.model)
    clips = []
    for seed, pair in enumerate(_pairs(classifier, config)):
        halves = [
            _classify_still(classifier, face, seed=seed, interval=config.interval) for face in pair
        ]
        clips.append(np.concatenate(halves))
    return [_evaluate(name, form, clips=clips, step=config.step) for name, form in FORMS.items()]


def _pairs(
    classifier: EmotionClassifier, config: MeasureSmoothingConfig
) -> Iterator[tuple[Image, Image]]:
    """Yield pairs of RGB faces with certain and different predictions."""
    folder = load_split(
        config.data,
        "validation",
        preprocessing=classifier.preprocessing,
        classes=classifier.classes,
    )
    order = np.random.default_rng(0).permutation(len(folder))[: 20 * config.clips]
    faces = np.repeat(folder.batch(order).mean(1).astype(np.uint8)[..., None], 3, -1)
    probabilities = classifier.predict(faces)
    certain = np.flatnonzero(probabilities.max(1) >= classifier.threshold)
    count = 0
    for i, j in zip(certain[::2], certain[1::2], strict=False):
        if count < config.clips and probabilities[i].argmax() != probabilities[j].argmax():
            count += 1
            yield faces[i], faces[j]


def _classify_still(
    classifier: EmotionClassifier, face: Image, *, seed: int, interval: int
) -> NDArray[np.float32]:
    """Return the raw probabilities ``(T, K)`` of a still face in front of a camera."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(0, round(SECONDS * FPS), interval):
        shift = np.array([[1, 0, rng.normal(0, JITTER)], [0, 1, rng.normal(0, JITTER)]])
        moved = cv2.warpAffine(face, shift, face.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.clip(moved + rng.normal(0, NOISE, face.shape), 0, 255).astype(np.uint8))
    return classifier.predict(np.stack(frames))


def _evaluate(
    name: str, form: Smoothing, *, clips: list[NDArray[np.float32]], step: float
) -> SmoothingRow:
    labels = [smoothed_labels(clip, form, step=step) for clip in clips]
    delays = [delay(line, step) for line in labels]
    return SmoothingRow(
        form=name,
        median_delay=float(np.median(delays)),
        p95_delay=float(np.percentile(delays, 95)),
        flips=float(np.mean([count_flips(line) for line in labels]) * 10 / (2 * SECONDS)),
    )


def smoothed_labels(
    clip: NDArray[np.float32], form: Smoothing, *, step: float
) -> NDArray[np.int64]:
    """Return the label shown at each classified frame.

    Args:
        clip: float32 ``(T, K)`` raw probabilities; the face changes in the middle.
        form: The smoothing.
        step: Seconds between two classified frames.
    """
    prediction = form.start(clip[0])
    labels = [prediction.label]
    for number, raw in enumerate(clip[1:], 1):
        prediction = form.smooth(prediction, raw, time=number * step, elapsed=step)
        labels.append(prediction.label)
    return np.array(labels)


def delay(labels: NDArray[np.int64], step: float) -> float:
    """Return the seconds from the change to the label that the second half mostly shows.

    Args:
        labels: ``(T,)`` class indices; the face changes in the middle.
        step: Seconds between two classified frames; classifying one takes no time here.
    """
    half = len(labels) // 2
    settled = np.bincount(labels[half + (len(labels) - half) // 2 :]).argmax()
    shown = np.flatnonzero(labels[half:] == settled)
    return float(shown[0]) * step


def count_flips(labels: NDArray[np.int64]) -> int:
    """Return how often the label changes while the face is still.

    Args:
        labels: ``(T,)`` class indices; the face changes in the middle.
    """
    half = len(labels) // 2
    settled = half + round(len(labels) * SETTLING)
    return int((np.diff(labels[:half]) != 0).sum() + (np.diff(labels[settled:]) != 0).sum())


def table(rows: list[SmoothingRow]) -> str:
    """Return the measurements as a Markdown table."""
    lines = [
        "| smoothing | change shows after, median | 95% of changes within | flips in 10 s, mean |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {row.form} | {1000 * row.median_delay:.0f} ms | {1000 * row.p95_delay:.0f} ms "
        f"| {row.flips:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the program and return its exit code."""
    print(table(measure(parse_args())))
    return ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
