"""The end of a training run: calibrate the best checkpoint, measure it, write the report."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from utils.evaluation.calibration import calibrate
from utils.evaluation.evaluate import LABEL_SETS, Evaluation, evaluate_split, target_label_set
from utils.evaluation.plots import save_confusion, save_curves, save_reliability
from utils.evaluation.result_plots import save_coverage, save_mistakes
from utils.model.checkpoint import Checkpoint, save_checkpoint
from utils.model.spec import Head
from utils.processing.dataset import FaceDataset, load_split
from utils.training.history import TrainingHistory
from utils.training.trainer import BEST


def finish(
    checkpoint: Checkpoint,
    validation: FaceDataset,
    *,
    out: Path,
    history: TrainingHistory | None = None,
    train: FaceDataset | None = None,
) -> None:
    """Calibrate and measure the checkpoint of a run, and describe the run.

    Writes the completed ``best_model.pth``, ``history.csv``, ``curves.png``, a confusion matrix and
    a reliability diagram for each head, and ``report.md``.

    Args:
        checkpoint: The kept epoch; gets its calibration, metrics and data fingerprint.
        validation: Images that temperature, prior correction and threshold are fitted on.
        out: Run folder.
        history: The epochs; None for a checkpoint averaged from others.
        train: The training images; None for a checkpoint averaged from others.
    """
    calibrate(checkpoint, validation)
    if train is not None:
        checkpoint.data["fingerprint"] = train.fingerprint()
    data = Path(checkpoint.training["data"])
    splits = {"validation": validation}
    if (data / "test").is_dir():
        splits["test"] = load_split(
            data,
            "test",
            preprocessing=validation.preprocessing,
            classes=validation.classes,
        )
    for name, folder in splits.items():
        evaluation = evaluate_split(checkpoint, folder)
        checkpoint.metrics[name] = {h.name: evaluation.reports(h.name) for h in checkpoint.heads}
        for head in checkpoint.heads:
            save_pictures(checkpoint, evaluation, head, name, out)
    save_checkpoint(checkpoint, out / BEST)
    if history is not None:
        save_curves(history.rows(), out / "curves.png")
        _write_rows(history.rows(), out / "history.csv")
    (out / "report.md").write_text(_markdown(checkpoint, history), "utf-8")


def save_pictures(
    checkpoint: Checkpoint, evaluation: Evaluation, head: Head, split: str, out: Path
) -> None:
    """Write a head's confusion matrix and reliability diagram for the labels that it answers."""
    label_set = target_label_set(head, evaluation.labels)
    probabilities, labels = evaluation.probabilities[head.name], evaluation.labels[label_set]
    figures = evaluation.reports(head.name)[label_set]
    title = (
        f"{checkpoint.model} ({head.name}), {split}, {LABEL_SETS[label_set]}: "
        f"{figures['accuracy']:.1%}"
    )
    path = out / f"confusion_{split}_{head.name}.png"
    save_confusion(figures["confusion"], checkpoint.classes, path, title)
    save_reliability(probabilities, labels, out / f"reliability_{split}_{head.name}.png")


def save_evaluation(
    checkpoint: Checkpoint,
    head: Head,
    evaluation: Evaluation,
    folder: FaceDataset,
    out: Path,
    split: str,
) -> None:
    """Write all pictures of a head: ``save_pictures``, coverage and the worst mistakes."""
    save_pictures(checkpoint, evaluation, head, split, out)
    labels = evaluation.labels[target_label_set(head, evaluation.labels)]
    probabilities = evaluation.probabilities[head.name]
    curves = {split: (probabilities, labels)}
    save_coverage(curves, head.threshold, out / f"coverage_{split}_{head.name}.png")
    images = folder.batch(np.arange(len(folder)))
    path = out / f"mistakes_{split}_{head.name}.png"
    save_mistakes(images, probabilities, labels, checkpoint.classes, path)


def per_class_table(figures: dict[str, Any]) -> str:
    """Return precision, recall, F1 and support of each class as a Markdown table."""
    lines = ["| class | precision | recall | F1 | images |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {name} | {row['precision']:.1%} | {row['recall']:.1%} | {row['f1']:.1%} "
        f"| {row['support']} |"
        for name, row in figures["per_class"].items()
    ]
    return "\n".join(lines)


def _write_rows(rows: list[dict[str, float]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _markdown(checkpoint: Checkpoint, history: TrainingHistory | None) -> str:
    parts = [f"# {checkpoint.model}"]
    if history is not None:
        minutes = sum(result.seconds for result in history.epochs) / 60
        parts += [
            f"{len(history.epochs)} epochs, the best was epoch {history.best_epoch}; "
            f"{minutes:.0f} minutes, {history.images_per_second():.0f} images/s.",
            "![curves](curves.png)",
        ]
    parts += [
        f"Head {head.name}: trained on {head.label_set}; temperature {head.temperature:.3f}, "
        f"prior correction {head.prior_correction:.1f}, uncertain below {head.threshold:.2f} (all "
        "from the validation split)."
        for head in checkpoint.heads
    ]
    for split, heads in checkpoint.metrics.items():
        for name, sets in heads.items():
            label_set = target_label_set(checkpoint.head(name), sets)
            for labels, figures in sets.items():
                parts.append(_figures(f"{split}, head {name}, {LABEL_SETS[labels]}", figures))
                if labels == label_set:
                    parts.append(f"![confusion](confusion_{split}_{name}.png)")
    return "\n\n".join(parts) + "\n"


def _figures(title: str, figures: dict[str, Any]) -> str:
    return (
        f"## {title}\n\n"
        f"Accuracy {figures['accuracy']:.2%}, balanced {figures['balanced_accuracy']:.2%}, "
        f"macro F1 {figures['macro_f1']:.3f}, ECE {figures['ece']:.2%} "
        f"({figures['images']} images).\n\n{per_class_table(figures)}"
    )
