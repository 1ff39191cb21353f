"""Prepare FER2013, or any labelled pictures, for training.

python -m backend.prepare fer2013.zip --ferplus fer2013new.csv --out images
"""

from backend.console.requirements import ensure

ensure("train", "The preparation of data")

import argparse
import csv
import sys
from pathlib import Path

from tqdm import tqdm

from backend.console import cli
from utils.errors import ConfigError, DataError
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.processing.near_duplicates import MAX_RMS, SIDE, nearest_training_images
from utils.processing.prepare import Report, prepare
from utils.processing.prepare.labelled_files import SPLITS

_SHOWN_PROBLEMS = 100


def main(argv: list[str] | None = None) -> int:
    """Prepare a data set; return 0, or 1 if some of it could not be used."""
    args = _parser().parse_args(argv)
    if args.find_twins:
        return _find_twins(args.find_twins, args.max_rms, args.list)
    if not args.source:
        raise ConfigError("name a source to prepare, or --find-twins DATA (--help shows both)")
    with tqdm(unit="images", disable=args.quiet) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = prepare(args.source, args.out, args.ferplus, args.overwrite, progress)
    print(_table(report))
    print(f"\n{report.written} files written, {report.kept} were there already: {args.out}")
    print(f"fingerprint {report.fingerprint}")
    for remark in report.remarks:
        print(f"note: {remark}")
    _print_problems(report.problems)
    return DataError.exit_code if report.problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Bring FER2013 or any labelled pictures into train|validation|test/<class>/.",
        epilog="Exit code: 0 all prepared, 2 some rows or files were unusable, or all.",
    )
    parser.add_argument(
        "source",
        nargs="?",
        help="fer2013.csv or icml_face_data.csv; Kaggle's train/ and test/; or an image folder with"
        " train/, validation/, test/. Each as it is or in a zip.",
    )
    parser.add_argument("--out", default="images", help="folder to write to (default: images)")
    parser.add_argument("--ferplus", metavar="CSV", help="fer2013new.csv of microsoft/FERPlus")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace pictures that differ from the source"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    twins = parser.add_argument_group("near-copies between the splits")
    twins.add_argument(
        "--find-twins", type=Path, metavar="DATA", help="look through a prepared folder, then end"
    )
    twins.add_argument(
        "--max-rms",
        type=float,
        default=MAX_RMS,
        help=f"greatest root-mean-square difference in grey levels (default: {MAX_RMS:g})",
    )
    twins.add_argument("--list", type=Path, metavar="CSV", help="write every pair into a table")
    return parser


def _find_twins(data: Path, max_rms: float, table: Path | None) -> int:
    """Print how many images of each split have a twin in the training split."""
    spec = Preprocessing(input_size=SIDE)
    train = load_split(data, "train", preprocessing=spec)
    pairs = []
    for split in ("validation", "test"):
        if not (data / split).is_dir():
            continue
        other = load_split(data, split, preprocessing=spec, classes=train.classes)
        nearest, rms = nearest_training_images(train, other)
        found = [i for i in range(len(other)) if rms[i] < max_rms]
        alike = sum(int(other.labels[i] == train.labels[nearest[i]]) for i in found)
        print(f"{split}: {len(found)} of {len(other)} images have a twin, {alike} with its label")
        pairs += [(other.paths[i], train.paths[nearest[i]], f"{rms[i]:.2f}") for i in found]
    if table:
        try:
            with table.open("w", newline="") as file:
                csv.writer(file).writerows([("image", "twin", "rms"), *pairs])
        except OSError as error:
            raise ConfigError(f"--list {table}: can't be written ({error.strerror})") from error
    return 0


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
    for problem in problems[:_SHOWN_PROBLEMS]:
        print(f"  {problem}", file=sys.stderr)
    if len(problems) > _SHOWN_PROBLEMS:
        print(f"  … and {len(problems) - _SHOWN_PROBLEMS} more", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
