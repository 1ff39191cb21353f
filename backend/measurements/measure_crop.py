"""Measure the crop geometry of a face detector on a folder of training images.

The training images are cropped faces. The geometry says how to crop a detected face so that it is
framed like them.

Example:
    python backend/measurements/measure_crop.py --data images/train --detector mtcnn --samples 1000
"""

from backend.console.requirements import ensure

ensure("train", "Measuring crops")

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from backend.console.cli import ExitCode, run
from backend.console.messages import report_error
from backend.console.options import ArgumentParser, build_config, check_at_least_one
from utils.defaults import DETECTOR
from utils.errors import DataError, ImageError
from utils.faces import build_detector, list_detectors
from utils.faces.crop_calibration import CropMeasurement, Spread, measure_crop
from utils.media.images import load_image
from utils.media.sources import list_images
from utils.model.checkpoint import load_checkpoint, save_checkpoint


@dataclass(frozen=True, kw_only=True)
class MeasureCropConfig:
    """What to measure.

    Attributes:
        data: Folder of cropped faces.
        detector: The face detector.
        detector_weights: Model file of the detectors that need one (yunet, ssd).
        samples: How many images to draw at random.
        seed: Seed of the random draw.
        write: Checkpoint that gets the geometry; None writes none.
        json: Print JSON instead of text.
    """

    data: Path
    detector: str = DETECTOR
    detector_weights: Path | None = None
    samples: int = 1000
    seed: int = 0
    write: Path | None = None
    json: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: ``samples`` is below 1.
        """
        check_at_least_one(samples=self.samples)


@dataclass
class CropReport:
    """The result of a measurement.

    Attributes:
        measurement: The geometry and its spread.
        errors: A sentence for each image that can't be read.
    """

    measurement: CropMeasurement
    errors: list[str] = field(default_factory=list)


def parse_args(argv: list[str] | None = None) -> MeasureCropConfig:
    """Return the configuration that the command line describes.

    Raises:
        ConfigError: An option is out of range.
    """
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of cropped faces")
    # "none" returns the whole image, so there is nothing to measure.
    detectors = [name for name in list_detectors() if name != "none"]
    parser.add_argument("--detector", choices=detectors, default=DETECTOR)
    parser.add_argument("--detector-weights", type=Path, help="model file for yunet and ssd")
    parser.add_argument("--samples", type=int, default=1000, help="images to draw at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--write", type=Path, metavar="MODEL.pth", help="store the geometry in this checkpoint"
    )
    return build_config(MeasureCropConfig, vars(parser.parse_args(argv)))


def measure(config: MeasureCropConfig) -> CropReport:
    """Measure the geometry and, if asked, store it in a checkpoint.

    Raises:
        CheckpointError: The checkpoint can't be used.
        DataError: There are no images, or no image has a face.
        DetectorError: The detector's model file is missing.
        ImageError: The folder is missing.
    """
    if config.write:
        load_checkpoint(config.write)  # a wrong file is reported before minutes of work
    paths = list_images(config.data)
    if not paths:
        raise DataError(f"{config.data}: no images to measure; name a folder with cropped faces")
    detector = build_detector(config.detector, weights=config.detector_weights)
    chosen = random.Random(config.seed).sample(paths, min(config.samples, len(paths)))
    errors: list[str] = []
    images = _load_readable(tqdm(chosen, unit="image", disable=config.json), errors)
    measurement = measure_crop(detector, images)
    if config.write:
        write_geometry(measurement, config.write)
    return CropReport(measurement, errors)


def _load_readable(paths: Iterable[Path], errors: list[str]) -> Iterator[NDArray[np.uint8]]:
    for path in paths:
        try:
            yield load_image(path)
        except ImageError as error:
            errors.append(str(error))


def write_geometry(measurement: CropMeasurement, path: Path) -> None:
    """Store the measured geometry in a checkpoint, for the detector that was measured.

    Raises:
        CheckpointError: The checkpoint can't be used.
    """
    checkpoint = load_checkpoint(path)
    preprocessing = checkpoint.preprocessing
    geometry = preprocessing.geometry | {measurement.detector: measurement.geometry}
    checkpoint.preprocessing = replace(preprocessing, geometry=geometry)
    save_checkpoint(checkpoint, path)


def describe(measurement: CropMeasurement) -> str:
    """Return a measurement as lines of text."""

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
            f"images ({share:.1%})",
            line("scale", measurement.scale),
            line("dx", measurement.dx),
            line("dy", measurement.dy),
            f"geometry: {measurement.geometry}",
        ]
    )


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    report = measure(config)
    measurement = report.measurement
    print(json.dumps(measurement.as_dict()) if config.json else describe(measurement))
    for message in report.errors:
        report_error(message)
    return ImageError.exit_code if report.errors else ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
