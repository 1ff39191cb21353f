"""Measure a model on a labelled split and on whole photos; compare models; write the model card.

Examples:
  python backend/evaluate.py --data images --split test
  python backend/evaluate.py --end-to-end PHOTOS
  python backend/evaluate.py --compare A.pth B.pth
  python backend/evaluate.py --ensemble A.pth B.pth C.pth
  python backend/evaluate.py --zoo runs/zoo
"""

from backend.console.requirements import ensure

ensure("train", "The evaluation")

import argparse
from dataclasses import dataclass
from pathlib import Path

from backend.console.cli import run
from backend.console.evaluation_modes import (
    show_ablation,
    show_comparison,
    show_ensemble,
    show_photos,
    show_split,
    show_zoo,
)
from backend.console.options import ArgumentParser
from utils.defaults import DETECTOR
from utils.errors import ConfigError
from utils.evaluation.evaluator import EvaluateConfig, ModelConfig, PhotosConfig
from utils.evaluation.predict import TEST_TIME_AVERAGES
from utils.evaluation.split import SplitConfig
from utils.files import make_folder
from utils.memory import keep_freed_memory
from utils.paths import BUNDLED_MODEL


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What the command line asks for: one model, or one of the comparisons.

    Attributes:
        config: What to measure of one model.
        card: Write its model card into this file.
        compare: Compare these two checkpoints instead.
        ensemble: Measure these checkpoints and the mean of their predictions instead.
        zoo: Measure every architecture of this folder instead.
        ablation: Compare the training runs of this folder instead.
        as_json: Print one JSON document.
    """

    config: EvaluateConfig
    card: Path | None = None
    compare: tuple[Path, Path] | None = None
    ensemble: tuple[Path, ...] | None = None
    zoo: Path | None = None
    ablation: Path | None = None
    as_json: bool = False


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    add("--head", help="head that predicts: perceived (default) or fer2013")
    add("--data", type=Path, default=Path("images"), help="prepared data folder")
    add("--split", choices=("train", "validation", "test"), default="test")
    add("--ferplus", type=Path, metavar="CSV", help="FER+ votes, if not DATA/ferplus.csv")
    add("--average", choices=TEST_TIME_AVERAGES, default="none", help="test-time averaging")
    add("--prior-correction", type=float, metavar="0..1", help="replaces the model's own")
    add("--prior-table", action="store_true", help="measure other strengths of the correction")
    add("--scaling-table", action="store_true", help="compare temperature and vector scaling")
    add("--robustness", action="store_true", help="measure blur, low light, noise, rotation …")
    add(
        "--end-to-end",
        type=Path,
        metavar="PHOTOS",
        help="measure whole photos, one folder a class, in place of --data",
    )
    add("--detector", default=DETECTOR, help="face detector for --end-to-end")
    add("--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd")
    add("--compare", type=Path, nargs=2, metavar=("A.pth", "B.pth"), help="is one better?")
    add(
        "--ensemble",
        type=Path,
        nargs="+",
        metavar="MODEL.pth",
        help="measure models and their mean",
    )
    add("--zoo", type=Path, metavar="FOLDER", help="measure every FOLDER/NAME/best_model.pth")
    add("--ablation", type=Path, metavar="FOLDER", help="compare FOLDER's runs with its base run")
    add("--out", type=Path, help="folder for the figures")
    add("--card", type=Path, metavar="FILE.md", help="measure everything and write a model card")
    add("--json", action="store_true", help="print one JSON document")
    return parser


def parse_args(argv: list[str] | None = None) -> EvaluateOptions:
    """Return what the command line asks for."""
    args = build_parser().parse_args(argv)
    photos = args.end_to_end and PhotosConfig(
        folder=args.end_to_end, detector=args.detector, detector_weights=args.detector_weights
    )
    config = EvaluateConfig(
        model=ModelConfig(path=args.model, head=args.head, prior_correction=args.prior_correction),
        split=SplitConfig(
            data=args.data, split=args.split, ferplus=args.ferplus, average=args.average
        ),
        photos=photos,
        prior_table=args.prior_table,
        scaling_table=args.scaling_table,
        robustness=args.robustness,
        out=args.out,
    )
    return EvaluateOptions(
        config=config,
        card=args.card,
        compare=args.compare and tuple(args.compare),
        ensemble=args.ensemble and tuple(args.ensemble),
        zoo=args.zoo,
        ablation=args.ablation,
        as_json=args.json,
    )


def check_outputs(config: EvaluateConfig, card: Path | None) -> None:
    """Check before the work that its results can be written and that the options agree.

    Raises:
        ConfigError: A folder is a file, or options contradict each other.
        OutputError: A folder can't be created.
    """
    for folder in filter(None, (config.out, card and card.parent)):
        make_folder(folder)
    if card is None:
        return
    model = config.model
    if model.head or model.prior_correction is not None or config.split.average != "none":
        raise ConfigError(
            "--card describes a model as it is used: leave out --head, --prior-correction and "
            "--average"
        )
    if card.is_dir():
        raise ConfigError(f"--card {card}: is a folder; name a file")


def main() -> int:
    """Run the program and return its exit code."""
    options = parse_args()
    config, as_json = options.config, options.as_json
    check_outputs(config, options.card)
    keep_freed_memory()
    if options.ablation:
        return show_ablation(options.ablation, as_json=as_json)
    if options.zoo:
        return show_zoo(options.zoo, config.split, out=config.out, as_json=as_json)
    if options.compare:
        head = config.model.head
        return show_comparison(options.compare, config.split, head=head, as_json=as_json)
    if options.ensemble:
        return show_ensemble(options.ensemble, config.split, as_json=as_json)
    if config.photos and not options.card:
        return show_photos(config.model, config.photos, as_json=as_json)
    return show_split(config, card=options.card, as_json=as_json)


if __name__ == "__main__":
    run(main)
