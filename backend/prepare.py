"""Prepare FER2013, any labelled images, or the faces of any photos for training.

Example: python backend/prepare.py fer2013.csv --ferplus fer2013new.csv --out images
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from backend.console.cli import run
from backend.console.messages import printable
from backend.console.options import ArgumentParser
from utils.errors import ConfigError, DataError
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.processing.near_duplicates import (
    MAX_RMS,
    SIDE,
    nearest_training_images,
    write_pairs,
)
from utils.processing.prepare import FaceReport, Report, crop_photos, prepare
from utils.processing.prepare.labelled_files import SPLITS

_MAX_LISTED_PROBLEMS = 100
_DATASET_FOLDER = Path("images")


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """The options of the command line.

    Attributes:
        source: The dataset to prepare; None for another task.
        out: Folder to write to; None for the default.
        ferplus: ``fer2013new.csv``.
        overwrite: Replace images that differ from the source.
        quiet: Draw no progress bar.
        duplicates_in: Prepared folder to search for near-duplicates; None to prepare ``source``.
        max_rms: Largest difference of near-duplicates, in grey levels.
        table: CSV file for the pairs of near-duplicates.
        faces_of: Folder of photos whose faces are cut out.
        size: Side of these faces in pixels.
    """

    source: Path | None
    out: Path | None
    ferplus: Path | None
    overwrite: bool
    quiet: bool
    duplicates_in: Path | None
    max_rms: float
    table: Path | None
    faces_of: Path | None
    size: int


def parse_args(argv: list[str] | None = None) -> PrepareOptions:
    """Return the options of the command line."""
    parser = ArgumentParser(
        description="Bring FER2013 or any labelled images into train|validation|test/<class>/.",
        epilog="Exit code: 0 if everything was prepared, 2 if some or all of it is unusable.",
    )
    parser.add_argument(
        "source",
        nargs="?",
        type=Path,
        help="fer2013.csv or icml_face_data.csv; Kaggle's train/ and test/; or an image folder with"
        " train/, validation/, test/. Each as it is or in a zip file.",
    )
    parser.add_argument("--out", type=Path, help=f"folder to write to (default: {_DATASET_FOLDER})")
    parser.add_argument(
        "--ferplus", type=Path, metavar="CSV", help="fer2013new.csv of microsoft/FERPlus"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace images that differ from the source"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_near_duplicates(parser)
    _add_faces(parser)
    return PrepareOptions(**vars(parser.parse_args(argv)))


def _add_near_duplicates(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("near-duplicates between the splits")
    group.add_argument(
        "--find-near-duplicates",
        type=Path,
        dest="duplicates_in",
        metavar="DATA",
        help="count the images of a prepared folder that nearly equal a training image",
    )
    group.add_argument(  # its former name
        "--find-twins", type=Path, dest="duplicates_in", help=argparse.SUPPRESS
    )
    group.add_argument(
        "--max-rms",
        type=float,
        default=MAX_RMS,
        help=f"largest root-mean-square difference in grey levels (default: {MAX_RMS:g})",
    )
    group.add_argument(
        "--list", type=Path, dest="table", metavar="CSV", help="write every pair to a table"
    )


def _add_faces(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("faces without labels, for train.py --unlabelled")
    group.add_argument(
        "--faces",
        type=Path,
        dest="faces_of",
        metavar="PHOTOS",
        help="cut the faces out of a folder of photos; needs --out",
    )
    group.add_argument(
        "--size", type=int, default=160, help="side of the faces in pixels (default: 160)"
    )


def prepare_dataset(source: Path, options: PrepareOptions) -> Report:
    """Prepare a dataset with a progress bar, and print the report."""
    out = options.out or _DATASET_FOLDER
    with _progress(options) as on_progress:
        report = prepare(
            source,
            out,
            ferplus=options.ferplus,
            overwrite=options.overwrite,
            on_progress=on_progress,
        )
    print(_table(report))
    print(f"\n{report.written} files written, {report.kept} were there already: {out}")
    print(f"fingerprint {report.fingerprint}")
    for remark in report.remarks:
        print(f"note: {printable(remark)}")
    _print_problems(report.problems)
    return report


def cut_out_faces(photos: Path, options: PrepareOptions) -> FaceReport:
    """Write the faces of photos with a progress bar; print how many, and where there are none.

    Raises:
        ConfigError: No folder to write to was named, or it lies within the photos.
        DataError: There are no photos.
        ImageError: The folder of photos is missing, or a face can't be written.
    """
    if options.out is None:
        raise ConfigError("--faces: name a folder for the faces with --out")
    with _progress(options) as on_progress:
        report = crop_photos(photos, options.out, size=options.size, on_progress=on_progress)
    print(f"{report.written} faces of {report.photos} photos written: {options.out}")
    if report.without_face:
        print(f"\n{len(report.without_face)} photos without a face:")
        print("\n".join(f"  {printable(path)}" for path in report.without_face))
    _print_problems(report.problems)
    return report


def list_near_duplicates(
    data: Path, *, max_rms: float = MAX_RMS, table: Path | None = None
) -> None:
    """Print how many images of each split have a near-duplicate in the training split.

    Args:
        data: Prepared data folder.
        max_rms: Largest root-mean-square difference (exclusive), in grey levels.
        table: CSV file to write every pair to.

    Raises:
        DataError: A split is missing or malformed.
        OutputError: The table can't be written.
    """
    preprocessing = Preprocessing(input_size=SIDE)
    train = load_split(data, "train", preprocessing=preprocessing)
    pairs = []
    for split in ("validation", "test"):
        if not (data / split).is_dir():
            continue
        other = load_split(data, split, preprocessing=preprocessing, classes=train.classes)
        nearest, rms = nearest_training_images(train, other)
        indices = np.flatnonzero(rms < max_rms)
        same_label = int((other.labels[indices] == train.labels[nearest[indices]]).sum())
        print(
            f"{split}: {len(indices)} of {len(other)} images have a near-duplicate in train, "
            f"{same_label} with the same label"
        )
        pairs += [(other.paths[i], train.paths[nearest[i]], float(rms[i])) for i in indices]
    if table:
        write_pairs(pairs, table)


def main(argv: list[str] | None = None) -> int:
    """Run the program; return 0, or 2 if some of the dataset could not be used."""
    options = parse_args(argv)
    if options.duplicates_in:
        list_near_duplicates(options.duplicates_in, max_rms=options.max_rms, table=options.table)
        return 0
    if options.faces_of:
        faces = cut_out_faces(options.faces_of, options)
        return DataError.exit_code if faces.problems else 0
    if not options.source:
        raise ConfigError(
            "name a source to prepare, --faces PHOTOS, or --find-near-duplicates DATA (see --help)"
        )
    report = prepare_dataset(options.source, options)
    return DataError.exit_code if report.problems else 0


@contextmanager
def _progress(options: PrepareOptions) -> Iterator[Callable[[int, int], None]]:
    """Draw a progress bar that follows the number of images done and their total."""
    with tqdm(unit="images", disable=options.quiet) as bar:

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield on_progress


def _table(report: Report) -> str:
    labels = sorted({label for _, label in report.counts})
    width = max(len(label) for label in [*labels, "total"])
    lines = [" " * width + "".join(f"{split:>12}" for split in SPLITS)]
    for label in labels:
        cells = "".join(f"{report.counts[split, label]:>12}" for split in SPLITS)
        lines.append(f"{label:<{width}}{cells}")
    totals = (sum(report.counts[split, label] for label in labels) for split in SPLITS)
    lines.append(f"{'total':<{width}}" + "".join(f"{total:>12}" for total in totals))
    return "\n".join(lines)


def _print_problems(problems: list[str]) -> None:
    if not problems:
        return
    print(f"\n{len(problems)} problems:", file=sys.stderr)
    for problem in problems[:_MAX_LISTED_PROBLEMS]:
        print(f"  {printable(problem)}", file=sys.stderr)
    if len(problems) > _MAX_LISTED_PROBLEMS:
        print(f"  … and {len(problems) - _MAX_LISTED_PROBLEMS} more", file=sys.stderr)


if __name__ == "__main__":
    run(main)
