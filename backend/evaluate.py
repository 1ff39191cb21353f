"""Measure a model on a labelled split and on whole photos; write its model card.

Example: python backend/evaluate.py --data images --split test
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.cli import run
from utils.analysis import EmotionAnalyzer
from utils.checkpoint import BUNDLED_MODEL, Checkpoint, load_checkpoint
from utils.errors import ConfigError, EmotionError
from utils.evaluation import LABEL_SETS, Evaluation, evaluate_end_to_end, evaluate_split
from utils.model_card import write_card
from utils.processing import FaceFolder, load_split
from utils.report import per_class_table, save_pictures
from utils.twins import find_twins


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(description="Measure a model; print and save its figures.")
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    parser.add_argument("--data", type=Path, default=Path("images"), help="prepared data folder")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument(
        "--end-to-end", type=Path, metavar="PHOTOS", help="whole photos, one folder a class"
    )
    parser.add_argument("--detector", default="mtcnn", help="face detector for --end-to-end")
    parser.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd"
    )
    parser.add_argument("--out", type=Path, help="folder for confusion matrices and reliability")
    parser.add_argument("--card", type=Path, metavar="FILE.md", help="write a model card")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(argv)


def measure(checkpoint: Checkpoint, data: Path, split: str) -> Evaluation:
    """Return the answers on a split, with its twins in the training split marked."""
    spec = checkpoint.preprocessing
    folder = load_split(data, split, spec, checkpoint.classes)
    folder.cache(limit_gb=4)
    twins = None
    if split != "train" and (data / "train").is_dir():
        grey = replace(spec, color="grey", input_size=48)
        library = load_split(data, "train", grey, checkpoint.classes)
        twins = find_twins(library, _with(folder, grey))
    return evaluate_split(checkpoint, folder, twins)


def _with(folder: FaceFolder, spec: Any) -> FaceFolder:
    return FaceFolder(folder.paths, folder.labels, folder.classes, spec)


def document(checkpoint: Checkpoint, evaluation: Evaluation, split: str) -> dict[str, Any]:
    """Return the figures of a split as plain types; the top level is against folder labels."""
    head = checkpoint.heads[0]
    sets = evaluation.reports(head.name)
    result = {
        "model": checkpoint.model,
        "trained_on": head.label_set,
        "split": split,
        "temperature": head.temperature,
        "threshold": head.threshold,
    } | sets["folder"]
    if "ferplus" in sets:
        result |= {
            "ferplus_accuracy": sets["ferplus"]["accuracy"],
            "ferplus": sets["ferplus"],
            "label_agreement": evaluation.label_agreement(),
        }
    return result


def print_figures(name: str, figures: dict[str, Any]) -> None:
    """Print one label set's figures for people."""
    twin_free = figures.get("accuracy_twin_free")
    extra = f", without twins {twin_free:.2%}" if twin_free is not None else ""
    print(f"\n{name}: accuracy {figures['accuracy']:.2%}{extra}")
    print(
        f"  balanced {figures['balanced_accuracy']:.2%}, macro F1 {figures['macro_f1']:.3f}, "
        f"ECE {figures['ece']:.2%}, {figures['images']} images"
    )
    print(per_class_table(figures))


def print_end_to_end(figures: dict[str, Any]) -> None:
    """Print the figures on whole photos for people."""
    print(
        f"\nend to end: accuracy {figures['accuracy']:.2%}, "
        f"balanced {figures['balanced_accuracy']:.2%}, "
        f"no face found {figures['no_face']:.2%}, {figures['images']} photos"
    )
    for name, row in figures["per_class"].items():
        print(f"  {name:10s} recall {row['recall']:.1%} of {row['support']}")


def check_outputs(args: argparse.Namespace) -> None:
    """Find out before the work whether its results can be written.

    Raises:
        ConfigError: A folder can't be made or is a file.
    """
    for folder in filter(None, (args.out, args.card and args.card.parent)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: can't be used as a folder ({error.strerror})") from error
    if args.card and args.card.is_dir():
        raise ConfigError(f"--card {args.card}: is a folder; name a file")


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    check_outputs(args)
    checkpoint = load_checkpoint(args.model)
    head = checkpoint.heads[0]
    evaluation = measure(checkpoint, args.data, args.split)
    result = document(checkpoint, evaluation, args.split)
    failed = False
    if args.end_to_end:
        analyzer = EmotionAnalyzer.load(
            args.model, args.detector, detector_weights=args.detector_weights
        )
        photos = evaluate_end_to_end(analyzer, args.end_to_end)
        result["end_to_end"] = {"detector": args.detector} | photos
        for sentence in photos["unreadable"]:
            print(f"error: {sentence}", file=sys.stderr)
            failed = True
    if args.out:
        save_pictures(checkpoint, evaluation, head, args.split, args.out)
    if args.card:
        save_pictures(checkpoint, evaluation, head, args.split, args.card.parent)
        validation = measure(checkpoint, args.data, "validation").reports(head.name)
        write_card(checkpoint, result, validation, args.card, " ".join(["python", *sys.argv]))
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"{checkpoint.model}, trained on {head.label_set}; {args.split} of {args.data}")
        for name, figures in evaluation.reports(head.name).items():
            print_figures(LABEL_SETS[name], figures)
        if args.end_to_end:
            print_end_to_end(result["end_to_end"])
    return EmotionError.exit_code if failed else 0


if __name__ == "__main__":
    run(main)
