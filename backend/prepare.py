"""Prepare FER2013, or any labelled images, for training.

python -m backend.prepare fer2013.zip --ferplus fer2013new.csv --out images
"""

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from backend.console import cli
from utils.errors import ConfigError, DataError
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.processing.near_duplicates import MAX_RMS, SIDE, nearest_training_images
from utils.processing.prepare import Report, prepare
from utils.processing.prepare.labelled_files import SPLITS

_MAX_LISTED_PROBLEMS = 100


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """The options of the command line.

    Attributes:
        source: The dataset to prepare; None to search for near-duplicates.
        out: Folder to write to.
        ferplus: ``fer2013new.csv``.
        overwrite: Replace images that differ from the source.
        quiet: Draw no progress bar.
        duplicates_in: Prepared folder to search for near-duplicates; None to prepare ``source``.
        max_rms: Largest difference of near-duplicates, in grey levels.
        table: CSV file for the pairs of near-duplicates.
    """

    source: Path | None
    out: Path
    ferplus: Path | None
    overwrite: bool
    quiet: bool
    duplicates_in: Path | None
    max_rms: float
    table: Path | None


def parse_args(argv: list[str] | None = None) -> PrepareOptions:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
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
    parser.add_argument(
        "--out", type=Path, default=Path("images"), help="folder to write to (default: images)"
    )
    parser.add_argument(
        "--ferplus", type=Path, metavar="CSV", help="fer2013new.csv of microsoft/FERPlus"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace images that differ from the source"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
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
    return PrepareOptions(**vars(parser.parse_args(argv)))


def prepare_dataset(source: Path, options: PrepareOptions) -> Report:
    """Prepare a dataset with a progress bar, and print the report."""
    with tqdm(unit="images", disable=options.quiet) as bar:

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = prepare(
            source,
            options.out,
            ferplus=options.ferplus,
            overwrite=options.overwrite,
            on_progress=on_progress,
        )
    print(_table(report))
    print(f"\n{report.written} files written, {report.kept} were there already: {options.out}")
    print(f"fingerprint {report.fingerprint}")
    for remark in report.remarks:
        print(f"note: {remark}")
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
        ConfigError: The table can't be written.
        DataError: A split is missing or malformed.
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
        pairs += [(other.paths[i], train.paths[nearest[i]], f"{rms[i]:.2f}") for i in indices]
    if table:
        try:
            with table.open("w", newline="") as file:
                csv.writer(file).writerows([("image", "twin", "rms"), *pairs])
        except OSError as error:
            raise ConfigError(f"--list {table}: can't be written ({error.strerror})") from error


def main(argv: list[str] | None = None) -> int:
    """Run the program; return 0, or 2 if some of the dataset could not be used."""
    options = parse_args(argv)
    if options.duplicates_in:
        list_near_duplicates(options.duplicates_in, max_rms=options.max_rms, table=options.table)
        return 0
    if not options.source:
        raise ConfigError("name a source to prepare, or --find-near-duplicates DATA (see --help)")
    report = prepare_dataset(options.source, options)
    return DataError.exit_code if report.problems else 0


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
        print(f"  {problem}", file=sys.stderr)
    if len(problems) > _MAX_LISTED_PROBLEMS:
        print(f"  … and {len(problems) - _MAX_LISTED_PROBLEMS} more", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
