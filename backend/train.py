"""Train a model on a folder of labelled faces: best checkpoint, curves, report.

Example: python backend/train.py --data images --model se_resnet
"""

from backend.console.requirements import ensure

ensure("train", "Training")

import argparse
import logging
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from backend.console.cli import run
from backend.console.options import ArgumentParser
from utils.emotions import EMOTIONS
from utils.errors import ConfigError
from utils.files import check_folder
from utils.memory import keep_freed_memory
from utils.model.architectures import (
    build_model,
    count_multiply_adds,
    count_parameters,
    list_models,
)
from utils.model.checkpoint import load_checkpoint
from utils.training.config import TrainConfig, list_options
from utils.training.data import load_data
from utils.training.history import TrainingHistory
from utils.training.recipes import load_config
from utils.training.targets import build_heads
from utils.training.trainer import BEST, LAST, Trainer


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of the command line.

    Attributes:
        overrides: Training options given by flag, by key, as text.
        config: YAML file with training options.
        resume: Run folder to continue.
        list_models: Only print the architectures.
        quiet: Draw no progress bars.
    """

    overrides: dict[str, Any]
    config: Path | None
    resume: Path | None
    list_models: bool
    quiet: bool


def parse_args(argv: list[str] | None = None) -> TrainOptions:
    """Return the options of the command line."""
    parser = ArgumentParser(
        description="Train a model on DATA/train and choose the best epoch on DATA/validation.",
        epilog="Defaults come from the model's recipe in model/recipes, then --config, then flags.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE.yaml", help="training options as YAML")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="continue the run in this folder"
    )
    parser.add_argument(
        "--list-models", action="store_true", help="print the architectures and exit"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    group = parser.add_argument_group("training options")
    keys = [option.key for option in list_options() if option.key != "model_args"]
    for option in list_options():
        if option.key not in keys:
            continue
        flag = f"--{option.key.replace('_', '-')}"
        if option.field.annotation is bool:
            group.add_argument(
                flag,
                action=argparse.BooleanOptionalAction,
                default=None,
                help=option.field.description,
            )
        else:
            group.add_argument(flag, metavar=option.key.upper(), help=option.field.description)
    args = vars(parser.parse_args(argv))
    return TrainOptions(
        overrides={key: args[key] for key in keys if args[key] is not None},
        config=args["config"],
        resume=args["resume"],
        list_models=args["list_models"],
        quiet=args["quiet"],
    )


def train(
    config: TrainConfig, out: Path, *, resume: bool = False, show_progress: bool = True
) -> TrainingHistory:
    """Train a model and write the run folder; print what is learned and how well.

    Args:
        config: What to do.
        out: Run folder.
        resume: Continue the run in the folder.
        show_progress: Draw progress bars on standard error.

    Raises:
        EmotionError: The data, the model, the device or the run folder can't be used.
    """
    splits = load_data(config, show_progress=show_progress)
    print(f"{len(splits.train):,} training and {len(splits.validation):,} validation images")
    if splits.unlabelled:
        print(f"{len(splits.unlabelled):,} training images without labels")
    targets = "; ".join(f"{head.name} ({head.label_set})" for head in build_heads(config.targets))
    print(f"classes: {', '.join(splits.train.classes)}; targets: {targets}")
    trainer = Trainer(config, splits, out=out, show_progress=show_progress)
    if resume:
        trainer.resume()
        print(f"resuming after epoch {len(trainer.history.epochs)}")
    else:
        write_config(config, out)
    history = trainer.fit()
    print(f"kept epoch {history.best_epoch}, validation accuracy {history.best_accuracy:.2%}")
    print(f"{history.images_per_second():.0f} images/s")
    from utils.training.report import finish  # imports matplotlib, which only the end needs

    checkpoint = load_checkpoint(out / BEST)
    finish(checkpoint, splits.validation, out=out, history=history, train=splits.train)
    print(f"checkpoint: {out / BEST}\nreport: {out / 'report.md'}")
    return history


def resumed_config(run_folder: Path, options: TrainOptions) -> TrainConfig:
    """Return the configuration of a run to continue.

    Raises:
        ConfigError: The folder holds no run, or other options were given.
    """
    if options.config or options.overrides:
        raise ConfigError("--resume takes its options from the run folder; remove the others")
    if not (run_folder / "config.yaml").is_file():
        raise ConfigError(f"{run_folder}: no config.yaml, so there is no run to resume")
    return load_config(run_folder / "config.yaml", {})


def new_run_folder(config: TrainConfig) -> Path:
    """Return the folder of a new run.

    Raises:
        ConfigError: It is a file, or holds a run already.
    """
    out = config.out or Path("runs") / f"{config.network.model}-{datetime.now():%Y%m%d-%H%M%S}"
    check_folder(out)
    if (out / LAST).exists():
        raise ConfigError(
            f"{out}: already holds a run; continue it with --resume {out} or change --out"
        )
    return out


def write_config(config: TrainConfig, out: Path) -> None:
    """Write the configuration into the run folder, for the reader and for ``--resume``.

    Raises:
        ConfigError: The folder can't be created or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "config.yaml").open("w") as file:
            yaml.safe_dump(config.to_document(), file, sort_keys=False)
    except OSError as error:
        raise ConfigError(f"--out {out}: can't be written ({error.strerror})") from error


def print_models() -> None:
    """Print each architecture as its recipe builds it: input, parameters, multiply-adds."""
    print(f"{'name':20s} {'input':>9s} {'parameters':>11s} {'multiply-adds':>14s}")
    for name in list_models():
        config = load_config(None, {"model": name}).network
        args = config.build_args(len(EMOTIONS))
        network = build_model(name, **args)
        size, channels = config.input_size, args["in_channels"]
        adds = count_multiply_adds(network, size, in_channels=channels)
        shape = f"{size}x{size}" if channels == 1 else f"{size}x{size}x{channels}"
        summary = (type(network).__doc__ or "").strip().splitlines()[0]
        print(
            f"{name:20s} {shape:>9s} {count_parameters(network):>11,} {adds / 1e6:>12,.0f} M"
            f"  {summary}"
        )


def main() -> int:
    """Run the program and return its exit code."""
    options = parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if options.list_models:
        print_models()
        return 0
    keep_freed_memory()
    if options.resume:
        config, out = resumed_config(options.resume, options), options.resume
    else:
        config = load_config(options.config, options.overrides)
        out = new_run_folder(config)
    train(config, out, resume=options.resume is not None, show_progress=not options.quiet)
    return 0


if __name__ == "__main__":
    run(main)
