"""Average the weights of fine-tuned checkpoints, then calibrate and measure the mean.

Example:
  python backend/soup.py runs/a/best_model.pth runs/b/best_model.pth --out runs/soup

Which checkpoints and shares are best is to be judged by the validation figures that it prints.
"""

from backend.console.requirements import ensure

ensure("train", "Weight averaging")

import argparse
from pathlib import Path

from backend.console.cli import run
from utils.errors import ConfigError
from utils.memory import keep_freed_memory
from utils.model.checkpoint import load_checkpoint
from utils.model.weight_averaging import average_weights
from utils.processing.dataset import load_split
from utils.training.report import finish


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoints", type=Path, nargs="+", metavar="A.pth", help="at least two checkpoints")
    add("--shares", type=float, nargs="+", help="a weight for each; equal if left out")
    add("--data", type=Path, default=Path("images"), help="prepared data folder")
    add("--out", type=Path, required=True, help="run folder for the mean and its report")
    return parser.parse_args(argv)


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    keep_freed_memory()
    if args.out.exists() and not args.out.is_dir():
        raise ConfigError(f"--out {args.out}: is a file; name a folder")
    checkpoints = [load_checkpoint(path) for path in args.checkpoints]
    made = average_weights(checkpoints, args.shares or [1.0] * len(checkpoints))
    made.training["data"] = str(args.data)
    validation = load_split(args.data, "validation", made.preprocessing, made.classes)
    args.out.mkdir(parents=True, exist_ok=True)
    finish(made, None, None, validation, args.out)
    for head, sets in made.metrics["validation"].items():
        for labels, figures in sets.items():
            print(f"validation, head {head}, {labels}: {figures['accuracy']:.2%}")
    print(f"checkpoint: {args.out / 'best_model.pth'}")
    return 0


if __name__ == "__main__":
    run(main)
