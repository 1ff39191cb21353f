"""Measure a model on a labelled split and on whole photos; compare models; write the model card.

Examples:
  python backend/evaluate.py --data images --split test
  python backend/evaluate.py --end-to-end PHOTOS
  python backend/evaluate.py --compare A.pth B.pth
  python backend/evaluate.py --zoo runs/zoo
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.console.cli import run
from backend.console.evaluate_models import compare, measure_zoo, show_ablation
from backend.console.evaluation_data import Data
from backend.console.evaluation_text import (
    print_end_to_end,
    print_figures,
    print_priors,
    print_robustness,
    print_scalings,
)
from utils.errors import ConfigError, EmotionError
from utils.evaluation.evaluate import (
    LABEL_SETS,
    document,
    evaluate_end_to_end,
    prior_table,
    scaling_table,
    target_label_set,
)
from utils.evaluation.model_card import write_card
from utils.evaluation.predict import TEST_TIME_AVERAGES
from utils.evaluation.robustness import evaluate_robustness
from utils.faces import build_detector
from utils.inference.analyzer import EmotionAnalyzer
from utils.memory import keep_freed_memory
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.classifier import EmotionClassifier
from utils.model.spec import Head
from utils.model.torch_runtime import TorchRuntime
from utils.paths import BUNDLED_MODEL
from utils.training.report import save_evaluation


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    add("--head", help="which of the model's answers: perceived (default) or fer2013")
    add("--data", type=Path, default=Path("images"), help="prepared data folder")
    add("--split", choices=("train", "validation", "test"), default="test")
    add("--ferplus", type=Path, metavar="CSV", help="FER+ votes, if not DATA/ferplus.csv")
    add("--average", choices=TEST_TIME_AVERAGES, default="none", help="test-time averaging")
    add("--prior-correction", type=float, metavar="0..1", help="in place of the model's own")
    add("--prior-table", action="store_true", help="show what other prior corrections would do")
    add("--scaling-table", action="store_true", help="temperature against vector scaling")
    add("--robustness", action="store_true", help="measure blur, bad light, noise, turned heads …")
    add(
        "--end-to-end",
        type=Path,
        metavar="PHOTOS",
        help="measure whole photos, one folder a class, in place of --data",
    )
    add("--detector", default="mtcnn", help="face detector for --end-to-end")
    add("--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd")
    add("--compare", type=Path, nargs=2, metavar=("A.pth", "B.pth"), help="is one better?")
    add("--zoo", type=Path, metavar="FOLDER", help="measure FOLDER/NAME/best_model.pth, all")
    add("--ablation", type=Path, metavar="FOLDER", help="table of FOLDER's runs against its base")
    add("--out", type=Path, help="folder for the pictures")
    add("--card", type=Path, metavar="FILE.md", help="write a model card with everything")
    add("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(argv)


def load_model(args: argparse.Namespace) -> tuple[Checkpoint, Head]:
    """Return the model and the head to measure, with the prior correction asked for."""
    checkpoint = load_checkpoint(args.model)
    head = checkpoint.head(args.head)
    if args.prior_correction is not None:
        try:
            changed = replace(head, prior_correction=args.prior_correction)
        except ValueError as error:
            raise ConfigError(f"--prior-correction: {error}") from error
        checkpoint.heads = tuple(changed if h == head else h for h in checkpoint.heads)
        head = changed
    return checkpoint, head


def evaluate_photos(args: argparse.Namespace, checkpoint: Checkpoint, head: Head) -> dict[str, Any]:
    """Return the figures on whole photos; unreadable ones are named on standard error."""
    classifier = EmotionClassifier(checkpoint, TorchRuntime(checkpoint), head=head.name)
    detector = build_detector(args.detector, weights=args.detector_weights)
    photos = evaluate_end_to_end(EmotionAnalyzer(classifier, detector), args.end_to_end)
    for sentence in photos["unreadable"]:
        print(f"error: {sentence}", file=sys.stderr)
    about = {"model": checkpoint.model, "head": head.name, "detector": args.detector}
    return about | {"prior_correction": head.prior_correction} | photos


def measure_photos(args: argparse.Namespace) -> int:
    """Measure one model on whole photos."""
    result = evaluate_photos(args, *load_model(args))
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print_end_to_end(result)
    return EmotionError.exit_code if result["unreadable"] else 0


def measure(args: argparse.Namespace) -> int:
    """Measure one model."""
    checkpoint, head = load_model(args)
    data = Data(args, args.split)
    evaluation = data.evaluate(checkpoint)
    label_set = target_label_set(head, evaluation.labels)
    result = document(checkpoint, head, evaluation, args.split)
    if args.prior_table or args.card:
        result["prior_table"] = prior_table(head, evaluation)
    if args.scaling_table or args.card:
        others = Data(args, "validation")
        # Only the card shows twins there, and looking for them takes a minute.
        validation = others.evaluate(checkpoint) if args.card else others.answers(checkpoint)
        result["scaling_table"] = scaling_table(head, validation, evaluation)
    if args.robustness or args.card:
        labels, folder = evaluation.labels[label_set], data.folder(checkpoint)
        rows = evaluate_robustness(checkpoint, head, folder, labels, args.average)
        result["robustness"] = rows
        result["robustness_mean_drop"] = sum(row["drop"] for row in rows) / len(rows)
    if args.end_to_end:
        result["end_to_end"] = evaluate_photos(args, checkpoint, head)
    out = args.out or (args.card and args.card.parent)
    if out:
        for shown in checkpoint.heads if args.card else (head,):
            save_evaluation(checkpoint, shown, evaluation, data.folder(checkpoint), out, args.split)
    if args.card:
        command = " ".join(["python", *sys.argv])
        write_card(checkpoint, result, evaluation, validation, args.card, command)
    print_result(args, result)
    unreadable = result.get("end_to_end", {}).get("unreadable")
    return EmotionError.exit_code if unreadable else 0


def print_result(args: argparse.Namespace, result: dict[str, Any]) -> None:
    """Print a measurement as JSON or for people."""
    if args.json:
        print(json.dumps(result, indent=1))
        return
    print(
        f"{result['model']}, head {result['head']}, trained on {result['trained_on']}; "
        f"{args.split} of {args.data}"
    )
    for name, figures in result["label_sets"].items():
        print_figures(LABEL_SETS[name], figures)
    if "prior_table" in result:
        print_priors(result["prior_table"])
    if "scaling_table" in result:
        print_scalings(result["scaling_table"])
    if "robustness" in result:
        print_robustness(result["robustness"], result["robustness_mean_drop"])
    if "end_to_end" in result:
        print_end_to_end(result["end_to_end"])


def check_outputs(args: argparse.Namespace) -> None:
    """Find out before the work whether its results can be written and mean what they say.

    Raises:
        ConfigError: A folder can't be made or is a file, or options contradict each other.
    """
    for folder in filter(None, (args.out, args.card and args.card.parent)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: can't be used as a folder ({error.strerror})") from error
    if args.card and (args.head or args.prior_correction is not None or args.average != "none"):
        raise ConfigError(
            "--card describes a model as it is used: leave out --head, --prior-correction and "
            "--average"
        )
    if args.card and args.card.is_dir():
        raise ConfigError(f"--card {args.card}: is a folder; name a file")


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    check_outputs(args)
    keep_freed_memory()
    if args.ablation:
        return show_ablation(args)
    if args.zoo:
        return measure_zoo(args)
    if args.compare:
        return compare(args)
    if args.end_to_end and not args.card:
        return measure_photos(args)
    return measure(args)


if __name__ == "__main__":
    run(main)
