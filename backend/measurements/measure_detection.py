"""What the faster face search of live video loses against the careful one.

Frames of 640x480 are laid out from the photos of a folder: single ones, then sheets of 12 and 48,
so that faces of many sizes occur. Example:

    python backend/measurements/measure_detection.py photos
"""

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.benchmarks.clip import HEIGHT, WIDTH
from backend.console.cli import run
from utils.errors import DataError, ImageError
from utils.faces import build_detector
from utils.inference.analyzer import LIVE_MIN_FACE
from utils.inference.tracking import box_iou
from utils.media.images import load_image
from utils.media.sources import list_images

SHEETS = ((1, 1), (4, 3), (8, 6))
FACES = (48, 64, 96, 128, 10_000)
SAME = 0.5  # intersection over union of one face found twice


def main() -> int:
    """Parse the arguments, search every frame twice, print the shares found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="photos of faces, in subfolders or not")
    parser.add_argument("--photos", type=int, default=240, help="of each layout (default: 240)")
    args = parser.parse_args()
    paths = list_images(args.folder)
    if not paths:
        raise DataError(f"{args.folder}: no photos in it")
    order = np.random.default_rng(0).permutation(len(paths))[: args.photos]
    print(table(measure([paths[i] for i in order])))
    return 0


def measure(paths: list[Path]) -> NDArray[np.float64]:
    """Search frames made of photos with both settings.

    Returns:
        A row for each face that the careful search finds: its shorter side in pixels, the overlap
        of the best box of the fast search, and the fast search's milliseconds for that frame.
    """
    careful = build_detector(min_face=20)
    fast = build_detector(min_face=LIVE_MIN_FACE)
    rows = []
    for frame in (frame for layout in SHEETS for frame in frames(paths, *layout)):
        expected = careful.detect(frame).boxes
        began = time.perf_counter()
        found = fast.detect(frame).boxes
        spent = 1000 * (time.perf_counter() - began)
        best = box_iou(expected, found).max(1, initial=0.0)
        sides = (expected[:, 2:] - expected[:, :2]).min(1)
        rows += [(side, share, spent) for side, share in zip(sides, best, strict=True)]
    if not rows:
        raise DataError("no face was found in these photos")
    return np.array(rows)


def frames(paths: list[Path], columns: int, rows: int) -> Iterator[NDArray[np.uint8]]:
    """Yield 640x480 RGB frames, each of ``columns * rows`` photos that fit into a grid."""
    count = columns * rows
    for begin in range(0, len(paths) - count + 1, count):
        frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        for place, path in enumerate(paths[begin : begin + count]):
            try:
                photo = load_image(path)
            except ImageError as error:
                print(f"left out: {error}")
                continue
            row, column = divmod(place, columns)
            top, left = row * HEIGHT // rows, column * WIDTH // columns
            cell = frame[top : top + HEIGHT // rows, left : left + WIDTH // columns]
            scale = min(cell.shape[0] / photo.shape[0], cell.shape[1] / photo.shape[1])
            width, height = (max(1, int(side * scale)) for side in photo.shape[1::-1])
            cell[:height, :width] = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
        yield frame


def table(rows: NDArray[np.float64]) -> str:
    """Return the shares by size of the face as a Markdown table."""
    lines = [
        f"| faces in pixels | faces | found with min_face {LIVE_MIN_FACE} | mean overlap |",
        "|---|---:|---:|---:|",
    ]
    ranges = [(FACES[0], FACES[-1]), *pairwise(FACES)]
    for low, high in ranges:
        own = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)]
        if len(own):
            name = f"{low} or more" if high == FACES[-1] else f"{low} to {high}"
            same = own[own[:, 1] >= SAME]
            lines.append(
                f"| {name} | {len(own)} | {len(same) / len(own):.1%} | {same[:, 1].mean():.3f} |"
            )
    return "\n".join([*lines, "", f"{np.median(rows[:, 2]):.1f} ms a frame (median)"])


if __name__ == "__main__":
    run(main)
