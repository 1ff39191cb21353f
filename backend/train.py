"""Train a model on a folder of labelled faces: best checkpoint, curves, report.

Example: python backend/train.py --data images --model se_resnet
"""

from backend.console.requirements import ensure

ensure("train", "Training")

import argparse
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
import yaml

from backend.console.cli import run
from utils.emotions import EMOTIONS
from utils.errors import ConfigError
from utils.memory import keep_freed_memory
from utils.model.architectures import (
    build_model,
    count_multiply_adds,
    count_parameters,
    list_models,
)
from utils.model.checkpoint import load_checkpoint
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import FaceDataset, load_split, measure_normalization
from utils.training.config import TrainConfig, load_config
from utils.training.targets import build_heads
from utils.training.trainer import BEST, LAST, Trainer, model_args


def parse_args(argv: list[str] | None = None) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return the program's own options, and the training options given by flag."""
    parser = argparse.ArgumentParser(
        description="Train a model on DATA/train, choose it on DATA/validation.",
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
    options = parser.add_argument_group("training options")
    for name, field in TrainConfig.model_fields.items():
        if name == "model_args":
            continue
        flag = f"--{name.replace('_', '-')}"
        if field.annotation is bool:
            options.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=None, help=field.description
            )
        else:
            options.add_argument(flag, metavar=name.upper(), help=field.description)
    args = parser.parse_args(argv)
    given = {n: getattr(args, n, None) for n in TrainConfig.model_fields}
    return args, {n: value for n, value in given.items() if value is not None}


def print_models() -> None:
    """Print each architecture as its recipe builds it: input, parameters, multiply-adds."""
    print(f"{'name':20s} {'input':>9s} {'parameters':>11s} {'multiply-adds':>14s}")
    for name in list_models():
        config = load_config(None, {"model": name})
        args = model_args(config, len(EMOTIONS)) | {"pretrained": False}
        if "pretrained" not in config.model_args:
            del args["pretrained"]
        network = build_model(name, **args)
        size, channels = config.input_size, args["in_channels"]
        adds = count_multiply_adds(network, size, channels)
        shape = f"{size}x{size}" if channels == 1 else f"{size}x{size}x{channels}"
        summary = (type(network).__doc__ or "").strip().splitlines()[0]
        print(
            f"{name:20s} {shape:>9s} {count_parameters(network):>11,} {adds / 1e6:>12,.0f} M"
            f"  {summary}"
        )


def run_folder(args: argparse.Namespace, overrides: dict[str, Any]) -> tuple[TrainConfig, Path]:
    """Return the configuration and the folder of the run, new or resumed."""
    if args.resume:
        if args.config or overrides:
            raise ConfigError("--resume takes its options from the run folder; give no others")
        if not (args.resume / "config.yaml").is_file():
            raise ConfigError(f"{args.resume}: no config.yaml, so there is no run to resume")
        return load_config(args.resume / "config.yaml", {}), args.resume
    config = load_config(args.config, overrides)
    out = config.out or Path("runs") / f"{config.model}-{datetime.now():%Y%m%d-%H%M%S}"
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; name a folder")
    if (out / LAST).exists():
        raise ConfigError(
            f"{out}: holds a run already; continue it with --resume {out} or change --out"
        )
    return config, out


def write_config(config: TrainConfig, out: Path) -> None:
    """Write the configuration into the run folder, for reading and for ``--resume``.

    Raises:
        ConfigError: The folder can't be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "config.yaml").open("w") as file:
            yaml.safe_dump(config.model_dump(mode="json"), file, sort_keys=False)
    except OSError as error:
        raise ConfigError(f"--out {out}: can't be written ({error.strerror})") from error


def load_data(config: TrainConfig, show_progress: bool) -> tuple[FaceDataset, FaceDataset]:
    """Return the training and validation images, in memory if they fit."""
    spec = Preprocessing(input_size=config.input_size, color=config.color)
    train = load_split(config.data, "train", spec)
    validation = load_split(config.data, "validation", spec, train.classes)
    train.cache(config.cache_gb, show_progress)
    validation.cache(config.cache_gb, show_progress)
    sample = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:4000]
    mean, std = measure_normalization(train.batch(sample))
    train.preprocessing = validation.preprocessing = Preprocessing(
        spec.input_size, spec.color, mean, std
    )
    return train, validation


def main() -> int:
    """Run the program and return its exit code."""
    args, overrides = parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if args.list_models:
        print_models()
        return 0
    keep_freed_memory()
    config, out = run_folder(args, overrides)
    train, validation = load_data(config, not args.quiet)
    print(f"{len(train):,} training and {len(validation):,} validation images")
    targets = "; ".join(f"{head.name} ({head.label_set})" for head in build_heads(config))
    print(f"classes: {', '.join(train.classes)}; targets: {targets}")
    trainer = Trainer(config, train, validation, out, show_progress=not args.quiet)
    if not args.resume:
        write_config(config, out)
    else:
        trainer.resume()
        print(f"resuming after epoch {len(trainer.progress.history)}")
    progress = trainer.fit()
    speed = sum(row["images_per_second"] for row in progress.history) / len(progress.history)
    print(f"kept epoch {progress.best_epoch}, validation accuracy {progress.best:.2%}")
    print(f"{speed:.0f} images/s")
    from utils.training.report import finish  # loads matplotlib, which only the end needs

    finish(load_checkpoint(out / BEST), progress, train, validation, out)
    print(f"checkpoint: {out / BEST}\nreport: {out / 'report.md'}")
    return 0


if __name__ == "__main__":
    run(main)
