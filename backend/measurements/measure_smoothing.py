"""How quickly a change of expression shows, and how calm a still face stays: raw, fixed, adaptive.

Clips are made of pairs of validation faces with different expressions: one face, then the other,
with a camera's noise and a small tremble in every picture. Example:

    python backend/measurements/measure_smoothing.py --data images
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.console.cli import run
from utils.inference.smoothing import Smoother, Smoothing
from utils.model.classifier import EmotionClassifier
from utils.processing.dataset import load_split

Faces = NDArray[np.uint8]
FPS, SECONDS = 30, 5.0  # of each half of a clip
NOISE, TREMBLE = 4.0, 0.7  # grey levels, pixels
FORMS = {
    "raw": Smoothing(Smoother(0.0), change=None, hysteresis=0.0),
    "fixed": Smoothing(change=None, hysteresis=0.0),
    "adaptive, as used": Smoothing(),
}


def main() -> int:
    """Parse the arguments, make the clips, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("images"), help="prepared data folder")
    parser.add_argument("--model", type=Path, metavar="FILE", help="default: the bundled model")
    parser.add_argument("--clips", type=int, default=60, help="pairs of faces (default: 60)")
    parser.add_argument("--interval", type=int, default=2, help="read every N-th picture")
    args = parser.parse_args()
    classifier = EmotionClassifier.load(args.model)
    clips = [
        np.concatenate([_answers(classifier, face, seed, args.interval) for face in pair])
        for seed, pair in enumerate(_pairs(classifier, args.data, args.clips))
    ]
    print(table(clips, args.interval / FPS))
    return 0


def _pairs(classifier: EmotionClassifier, data: Path, count: int) -> Iterator[tuple[Faces, Faces]]:
    """Yield pairs of RGB faces that the model reads surely and differently."""
    folder = load_split(
        data,
        "validation",
        preprocessing=classifier.preprocessing,
        classes=classifier.classes,
    )
    order = np.random.default_rng(0).permutation(len(folder))[: 20 * count]
    faces = np.repeat(folder.batch(order).mean(1).astype(np.uint8)[..., None], 3, -1)
    answers = classifier.predict(faces)
    sure = np.flatnonzero(answers.max(1) >= classifier.threshold)
    made = 0
    for i, j in zip(sure[::2], sure[1::2], strict=False):
        if made < count and answers[i].argmax() != answers[j].argmax():
            made += 1
            yield faces[i], faces[j]


def _answers(
    classifier: EmotionClassifier, face: Faces, seed: int, interval: int
) -> NDArray[np.float32]:
    """Return the raw probabilities of the pictures read of a still face before a camera."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(0, round(SECONDS * FPS), interval):
        move = np.array([[1, 0, rng.normal(0, TREMBLE)], [0, 1, rng.normal(0, TREMBLE)]])
        moved = cv2.warpAffine(face, move, face.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        pictures.append(np.clip(moved + rng.normal(0, NOISE, face.shape), 0, 255).astype(np.uint8))
    return classifier.predict(np.stack(pictures))


def table(clips: list[NDArray[np.float32]], step: float) -> str:
    """Return delays and flips of each form as a Markdown table.

    Args:
        clips: For each, float32 ``(T, K)`` raw probabilities; the face changes in the middle.
        step: Seconds from one to the next.
    """
    lines = [
        "| smoothing | change shows after, median | 95 % of changes within | flips in 10 s, mean |",
        "|---|---:|---:|---:|",
    ]
    for name, form in FORMS.items():
        shown = [labels(clip, form, step) for clip in clips]
        delays = [delay(line, step) for line in shown]
        flips = np.mean([flips_of(line) for line in shown]) * 10 / (2 * SECONDS)
        lines.append(
            f"| {name} | {1000 * np.median(delays):.0f} ms | "
            f"{1000 * np.percentile(delays, 95):.0f} ms | {flips:.2f} |"
        )
    return "\n".join(lines)


def labels(clip: NDArray[np.float32], form: Smoothing, step: float) -> NDArray[np.int64]:
    """Return the label shown at each picture."""
    answer = form.start(clip[0])
    shown = [answer.label]
    for number, raw in enumerate(clip[1:], 1):
        answer = form.smooth(answer, raw, time=number * step, elapsed=step)
        shown.append(answer.label)
    return np.array(shown)


def delay(shown: NDArray[np.int64], step: float) -> float:
    """Return the seconds from the change to the label that the second half mostly shows.

    The picture that shows the change counts as read when it comes.
    """
    half = len(shown) // 2
    settled = np.bincount(shown[half + (len(shown) - half) // 2 :]).argmax()
    late = np.flatnonzero(shown[half:] == settled)
    return float(late[0]) * step


def flips_of(shown: NDArray[np.int64]) -> int:
    """Return how often the label changes, not counting the change of the face."""
    half = len(shown) // 2
    settled = half + round(len(shown) * 0.1)
    return int((np.diff(shown[:half]) != 0).sum() + (np.diff(shown[settled:]) != 0).sum())


if __name__ == "__main__":
    run(main)
