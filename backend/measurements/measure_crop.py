"""Measure the crop geometry of a face detector on a folder of training pictures.

The training pictures are cropped faces. The printed geometry says how to crop a face at use so that
it is framed like them.

Example:
    python backend/measurements/measure_crop.py --data images/train --detector mtcnn --samples 1000
"""

import argparse
import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from backend.console.cli import run
from utils.errors import DataError, ImageError
from utils.faces import build_detector, list_detectors
from utils.faces.crop_calibration import CropMeasurement, Spread, measure_crop
from utils.media.images import load_image
from utils.media.sources import list_images
from utils.model.checkpoint import load_checkpoint, save_checkpoint


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of cropped faces")
    detectors = [name for name in list_detectors() if name != "none"]  # "none" has nothing to find
    parser.add_argument("--detector", choices=detectors, default="mtcnn")
    parser.add_argument("--detector-weights", type=Path, help="model file, for yunet and ssd")
    parser.add_argument("--samples", type=int, default=1000, help="pictures to draw at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--write", type=Path, metavar="MODEL.pth", help="put the geometry into this checkpoint"
    )
    return parser.parse_args()


def report(measurement: CropMeasurement) -> str:
    """Write a measurement as lines of text."""

    def line(name: str, spread: Spread) -> str:
        return (
            f"{name:6} median {spread.median:+.3f}   "
            f"quartiles {spread.lower_quartile:+.3f} … {spread.upper_quartile:+.3f}   "
            f"std {spread.std:.3f}"
        )

    share = measurement.found / measurement.images
    return "\n".join(
        [
            f"{measurement.detector}: a face in {measurement.found} of {measurement.images} "
            f"pictures ({share:.1%})",
            line("scale", measurement.scale),
            line("dx", measurement.dx),
            line("dy", measurement.dy),
            f"geometry: {measurement.geometry}",
        ]
    )


def write_geometry(measurement: CropMeasurement, path: Path) -> None:
    """Make a checkpoint crop the faces of a detector as measured."""
    checkpoint = load_checkpoint(path)
    spec = checkpoint.preprocessing
    geometry = spec.geometry | {measurement.detector: measurement.geometry}
    checkpoint.preprocessing = replace(spec, geometry=geometry)
    save_checkpoint(checkpoint, path)


def readable(paths: Iterable[Path], wrong: list[str]) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures that can be read; a sentence about each other one goes into ``wrong``."""
    for path in paths:
        try:
            yield load_image(path)
        except ImageError as error:
            wrong.append(str(error))


def main() -> int:
    """Measure, print and, if asked, put the geometry into a checkpoint."""
    arguments = parse_arguments()
    if arguments.write:
        load_checkpoint(arguments.write)  # a wrong file should be named before minutes of work
    paths = list_images(arguments.data)
    if not paths or arguments.samples < 1:
        raise DataError(f"{arguments.data}: no pictures to measure; give a folder with some")
    detector = build_detector(arguments.detector, weights=arguments.detector_weights)
    chosen = random.Random(arguments.seed).sample(paths, min(arguments.samples, len(paths)))
    wrong: list[str] = []
    images = readable(tqdm(chosen, unit="picture", disable=arguments.json), wrong)
    measurement = measure_crop(detector, images)
    if arguments.write:
        write_geometry(measurement, arguments.write)
    print(json.dumps(measurement.as_dict()) if arguments.json else report(measurement))
    for sentence in wrong:
        print(f"error: {sentence}", file=sys.stderr)
    return ImageError.exit_code if wrong else 0


if __name__ == "__main__":
    run(main)
