"""Measure which faces the faster detection of live video misses.

Frames of 640x480 are composed of the photos in a folder: one photo, then grids of 12 and 48, so
that faces of many sizes occur. Example:

    python backend/measurements/measure_detection.py photos
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.benchmarks.clip import HEIGHT, WIDTH
from backend.console.cli import ExitCode, run
from backend.console.messages import report_error
from backend.console.options import ArgumentParser, build_config, check_at_least_one
from utils.defaults import LIVE_MIN_FACE, MIN_FACE
from utils.errors import DataError, ImageError
from utils.faces import build_detector
from utils.inference.tracking.tracker import box_iou
from utils.media.images import load_image
from utils.media.sources import list_images

GRIDS = ((1, 1), (4, 3), (8, 6))  # columns, rows
SIZE_LIMITS = (48, 64, 96, 128, 10_000)
MATCH_IOU = 0.5
_BACKGROUND = 90


@dataclass(frozen=True, kw_only=True)
class MeasureDetectionConfig:
    """What to measure.

    Attributes:
        folder: Photos of faces, searched recursively.
        photos: Photos for each grid.
    """

    folder: Path
    photos: int = 240

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: ``photos`` is below 1.
        """
        check_at_least_one(photos=self.photos)


@dataclass(frozen=True)
class Measurement:
    """What was measured.

    Attributes:
        matches: One entry for each face that the careful detection finds.
        unreadable: Number of photos that can't be read; they are left out.
    """

    matches: list["FaceMatch"]
    unreadable: int


@dataclass(frozen=True)
class FaceMatch:
    """How well the fast detection finds a face of the careful one.

    Attributes:
        size: Shorter side of the face, in pixels.
        iou: IoU with the best box of the fast detection; 0 without any.
        fast_ms: Milliseconds of the fast detection for the whole frame.
    """

    size: float
    iou: float
    fast_ms: float


def parse_args(argv: list[str] | None = None) -> MeasureDetectionConfig:
    """Return the configuration that the command line describes.

    Raises:
        ConfigError: An option is out of range.
    """
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="photos of faces, searched recursively")
    parser.add_argument(
        "--photos", type=int, default=240, help="photos for each grid (default: 240)"
    )
    return build_config(MeasureDetectionConfig, vars(parser.parse_args(argv)))


def measure(config: MeasureDetectionConfig) -> Measurement:
    """Compare both settings of the detector on frames composed of photos.

    Raises:
        DataError: There are no photos, or no photo has a face.
        ImageError: The folder is missing.
    """
    paths = list_images(config.folder)
    if not paths:
        raise DataError(f"{config.folder}: holds no photos")
    order = np.random.default_rng(0).permutation(len(paths))[: config.photos]
    chosen = [paths[i] for i in order]
    readable = [path for path in chosen if _is_readable(path)]
    careful = build_detector(min_face=MIN_FACE)
    fast = build_detector(min_face=LIVE_MIN_FACE)
    matches = []
    for frame in (frame for grid in GRIDS for frame in compose_frames(readable, grid)):
        expected = careful.detect(frame).boxes
        start = time.perf_counter()
        detected = fast.detect(frame).boxes
        fast_ms = 1000 * (time.perf_counter() - start)
        best = box_iou(expected, detected).max(1, initial=0.0)
        sizes = (expected[:, 2:] - expected[:, :2]).min(1)
        matches += [
            FaceMatch(float(size), float(iou), fast_ms)
            for size, iou in zip(sizes, best, strict=True)
        ]
    if not matches:
        raise DataError(f"{config.folder}: no face was detected in these photos")
    return Measurement(matches, len(chosen) - len(readable))


def _is_readable(path: Path) -> bool:
    try:
        load_image(path)
    except ImageError as error:
        report_error(error)
        return False
    return True


def compose_frames(paths: list[Path], grid: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Yield 640x480 RGB frames, each filled with a grid of photos.

    Args:
        paths: The photos.
        grid: Columns and rows.
    """
    columns, rows = grid
    count = columns * rows
    for first in range(0, len(paths) - count + 1, count):
        frame = np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)
        for position, path in enumerate(paths[first : first + count]):
            photo = load_image(path)
            row, column = divmod(position, columns)
            top, left = row * HEIGHT // rows, column * WIDTH // columns
            _paste(photo, frame[top : top + HEIGHT // rows, left : left + WIDTH // columns])
        yield frame


def _paste(photo: NDArray[np.uint8], cell: NDArray[np.uint8]) -> None:
    scale = min(cell.shape[0] / photo.shape[0], cell.shape[1] / photo.shape[1])
    width, height = (max(1, int(side * scale)) for side in photo.shape[1::-1])
    cell[:height, :width] = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def table(matches: list[FaceMatch]) -> str:
    """Return the share of faces found, by size of the face, as a Markdown table."""
    lines = [
        f"| faces in pixels | faces | found with min_face {LIVE_MIN_FACE} | mean overlap |",
        "|---|---:|---:|---:|",
    ]
    ranges = [(SIZE_LIMITS[0], SIZE_LIMITS[-1]), *pairwise(SIZE_LIMITS)]
    for low, high in ranges:
        overlaps = np.array([match.iou for match in matches if low <= match.size < high])
        if len(overlaps):
            name = f"{low} or more" if high == SIZE_LIMITS[-1] else f"{low} to {high}"
            found = overlaps[overlaps >= MATCH_IOU]
            mean = f"{found.mean():.3f}" if len(found) else "–"
            share = len(found) / len(overlaps)
            lines.append(f"| {name} | {len(overlaps)} | {share:.1%} | {mean} |")
    median = np.median([match.fast_ms for match in matches])
    return "\n".join([*lines, "", f"{median:.1f} ms per frame (median)"])


def main() -> int:
    """Run the program and return its exit code."""
    measured = measure(parse_args())
    print(table(measured.matches))
    return ExitCode.SOME_FAILED if measured.unreadable else ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
