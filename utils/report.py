"""The end of a training run: calibrate the best checkpoint, measure it, write the report."""

import csv
from collections.abc import Container
from pathlib import Path
from typing import Any

import torch

from utils.checkpoint import Checkpoint, save_checkpoint
from utils.evaluation import evaluate_split
from utils.metrics import confidence_threshold, fit_temperature
from utils.plots import save_confusion, save_curves, save_reliability
from utils.processing import FaceFolder, load_split
from utils.training import BEST, Progress, predict_logits

LABEL_SETS = {"folder": "folder labels", "ferplus": "FER+ majority"}


def finish(
    checkpoint: Checkpoint,
    progress: Progress,
    train: FaceFolder,
    validation: FaceFolder,
    out: Path,
) -> None:
    """Calibrate and measure a run's best checkpoint and describe the run.

    Temperature and threshold come from the validation split. Writes into ``out``: the completed
    ``best_model.pth``, ``history.csv``, ``curves.png``, a confusion matrix for each label set,
    ``reliability.png`` and ``report.md``.
    """
    calibrate(checkpoint, validation, checkpoint.training.get("ferplus_weight", 0.0))
    checkpoint.data["fingerprint"] = train.fingerprint()
    data = Path(checkpoint.training["data"])
    splits = {"validation": validation}
    if (data / "test").is_dir():
        splits["test"] = load_split(data, "test", train.preprocessing, train.classes)
    for name, folder in splits.items():
        evaluation = evaluate_split(checkpoint, folder)
        checkpoint.metrics[name] = evaluation.reports()
        for label_set, figures in checkpoint.metrics[name].items():
            title = (
                f"{checkpoint.model}, {name}, {LABEL_SETS[label_set]}: {figures['accuracy']:.1%}"
            )
            path = out / f"confusion_{name}_{label_set}.png"
            save_confusion(figures["confusion"], checkpoint.classes, path, title)
        labels = evaluation.labels[primary_label_set(checkpoint, evaluation.labels)]
        save_reliability(evaluation.probabilities, labels, out / f"reliability_{name}.png")
    save_checkpoint(checkpoint, out / BEST)
    save_curves(progress.history, out / "curves.png")
    _write_history(progress.history, out / "history.csv")
    (out / "report.md").write_text(_markdown(checkpoint, progress), "utf-8")


def calibrate(checkpoint: Checkpoint, validation: FaceFolder, ferplus_weight: float) -> None:
    """Set a checkpoint's temperature and ``uncertain`` threshold by the validation split."""
    logits = predict_logits(checkpoint.build(), validation, torch.device("cpu"))
    labels = validation.targets(ferplus_weight).argmax(1)
    majority = validation.ferplus_majority()
    if ferplus_weight > 0.5 and majority is not None:
        labels = majority
    checkpoint.temperature = fit_temperature(logits, labels)
    probabilities = (logits / checkpoint.temperature).softmax(1).numpy()
    checkpoint.threshold = confidence_threshold(probabilities)


def primary_label_set(checkpoint: Checkpoint, available: Container[str]) -> str:
    """Return the label set that a checkpoint was mostly trained on, if it is available."""
    mostly_votes = checkpoint.training.get("ferplus_weight", 0.0) > 0.5
    return "ferplus" if mostly_votes and "ferplus" in available else "folder"


def per_class_table(figures: dict[str, Any]) -> str:
    """Return precision, recall, F1 and support of each class as a Markdown table."""
    lines = ["| class | precision | recall | F1 | images |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {name} | {row['precision']:.1%} | {row['recall']:.1%} | {row['f1']:.1%} "
        f"| {row['support']} |"
        for name, row in figures["per_class"].items()
    ]
    return "\n".join(lines)


def _write_history(history: list[dict[str, float]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def _markdown(checkpoint: Checkpoint, progress: Progress) -> str:
    rows = progress.history
    parts = [
        f"# {checkpoint.model}",
        f"Trained on {checkpoint.label_set}; {len(rows)} epochs, the best was epoch "
        f"{progress.best_epoch}; {sum(row['seconds'] for row in rows) / 60:.0f} minutes, "
        f"{sum(row['images_per_second'] for row in rows) / len(rows):.0f} images/s.",
        f"Temperature {checkpoint.temperature:.3f}, uncertain below {checkpoint.threshold:.2f} "
        "(both from the validation split).",
        "![curves](curves.png)",
    ]
    for split, sets in checkpoint.metrics.items():
        for label_set, figures in sets.items():
            parts += [
                f"## {split}, {LABEL_SETS[label_set]}",
                f"Accuracy {figures['accuracy']:.2%}, balanced {figures['balanced_accuracy']:.2%}, "
                f"macro F1 {figures['macro_f1']:.3f}, ECE {figures['ece']:.2%} "
                f"({figures['images']} images).",
                per_class_table(figures),
                f"![confusion](confusion_{split}_{label_set}.png)",
            ]
    return "\n\n".join(parts) + "\n"
