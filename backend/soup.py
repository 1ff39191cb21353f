"""Average the weights of fine-tuned checkpoints, then calibrate and measure the mean.

Example:
  python backend/soup.py runs/a/best_model.pth runs/b/best_model.pth --out runs/soup

Choose the checkpoints and their shares by the validation accuracy that it prints.
"""

from backend.console.requirements import ensure

ensure("train", "Weight averaging")

import argparse
from dataclasses import dataclass
from pathlib import Path

from backend.console.cli import run
from backend.console.options import ArgumentParser
from utils.files import check_folder, make_folder
from utils.memory import keep_freed_memory
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.weight_averaging import average_weights
from utils.processing.dataset import load_split
from utils.training.report import finish


@dataclass(frozen=True, kw_only=True)
class AveragingConfig:
    """What to average and where to write it.

    Attributes:
        checkpoints: At least two checkpoints.
        shares: A share for each; None gives all the same.
        data: Prepared data folder.
        out: Run folder for the mean and its report.
    """

    checkpoints: tuple[Path, ...]
    shares: tuple[float, ...] | None = None
    data: Path = Path("images")
    out: Path


def parse_args(argv: list[str] | None = None) -> AveragingConfig:
    """Return what the command line asks for."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoints", type=Path, nargs="+", metavar="A.pth", help="at least two checkpoints")
    add("--shares", type=float, nargs="+", help="a share for each; equal by default")
    add("--data", type=Path, default=Path("images"), help="prepared data folder")
    add("--out", type=Path, required=True, help="run folder for the mean and its report")
    args = parser.parse_args(argv)
    return AveragingConfig(
        checkpoints=tuple(args.checkpoints),
        shares=tuple(args.shares) if args.shares else None,
        data=args.data,
        out=args.out,
    )


def average(config: AveragingConfig) -> Checkpoint:
    """Average checkpoints, calibrate and measure the mean, and write its run folder.

    Raises:
        CheckpointError: A checkpoint can't be read.
        ConfigError: The checkpoints do not belong together, or ``out`` is a file.
        DataError: The data can't be used.
    """
    check_folder(config.out)
    checkpoints = [load_checkpoint(path) for path in config.checkpoints]
    mean = average_weights(checkpoints, config.shares or [1.0] * len(checkpoints))
    mean.training["data"] = str(config.data)
    validation = load_split(
        config.data, "validation", preprocessing=mean.preprocessing, classes=mean.classes
    )
    make_folder(config.out)
    finish(mean, validation, out=config.out)
    return mean


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    keep_freed_memory()
    mean = average(config)
    for head, label_sets in mean.metrics["validation"].items():
        for label_set, metrics in label_sets.items():
            print(f"validation, head {head}, {label_set}: {metrics['accuracy']:.2%}")
    print(f"checkpoint: {config.out / 'best_model.pth'}")
    return 0


if __name__ == "__main__":
    run(main)
