"""The end of a training run: calibrate the best checkpoint, measure it, write the report."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from utils.checkpoint import Checkpoint, save_checkpoint
from utils.evaluation import LABEL_SETS, Evaluation, answered_label_set, evaluate_split
from utils.evaluation_plots import save_coverage, save_mistakes
from utils.metrics import confidence_threshold, fit_temperature
from utils.model_spec import Head
from utils.plots import save_confusion, save_curves, save_reliability
from utils.prediction import predict_logits
from utils.processing import FaceFolder, load_split
from utils.training import BEST, Progress

PRIOR_COST = 0.005


def finish(
    checkpoint: Checkpoint,
    progress: Progress | None,
    train: FaceFolder | None,
    validation: FaceFolder,
    out: Path,
) -> None:
    """Calibrate and measure a run's best checkpoint and describe the run.

    Temperature, prior correction and threshold come from the validation split. Writes into
    ``out``: the completed ``best_model.pth``, ``history.csv``, ``curves.png``, for each head a
    confusion matrix and a reliability diagram, and ``report.md``. A checkpoint that was not trained
    but made of others has neither progress nor training images.
    """
    calibrate(checkpoint, validation)
    if train is not None:
        checkpoint.data["fingerprint"] = train.fingerprint()
    data = Path(checkpoint.training["data"])
    splits = {"validation": validation}
    if (data / "test").is_dir():
        splits["test"] = load_split(data, "test", validation.preprocessing, validation.classes)
    for name, folder in splits.items():
        evaluation = evaluate_split(checkpoint, folder)
        checkpoint.metrics[name] = {h.name: evaluation.reports(h.name) for h in checkpoint.heads}
        for head in checkpoint.heads:
            save_pictures(checkpoint, evaluation, head, name, out)
    save_checkpoint(checkpoint, out / BEST)
    if progress is not None:
        save_curves(progress.history, out / "curves.png")
        _write_history(progress.history, out / "history.csv")
    (out / "report.md").write_text(_markdown(checkpoint, progress), "utf-8")


def save_pictures(
    checkpoint: Checkpoint, evaluation: Evaluation, head: Head, split: str, out: Path
) -> None:
    """Write a head's confusion matrix and reliability diagram for the labels that it answers."""
    label_set = answered_label_set(head, evaluation.labels)
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
    folder: FaceFolder,
    out: Path,
    split: str,
) -> None:
    """Write all pictures of a head: ``save_pictures``, coverage and the worst mistakes."""
    save_pictures(checkpoint, evaluation, head, split, out)
    labels = evaluation.labels[answered_label_set(head, evaluation.labels)]
    probabilities = evaluation.probabilities[head.name]
    curves = {split: (probabilities, labels)}
    save_coverage(curves, head.threshold, out / f"coverage_{split}_{head.name}.png")
    images = folder.batch(torch.arange(len(folder))).numpy()
    path = out / f"mistakes_{split}_{head.name}.png"
    save_mistakes(images, probabilities, labels, checkpoint.classes, path)


def calibrate(checkpoint: Checkpoint, validation: FaceFolder) -> None:
    """Set each head's temperature, prior correction and threshold by the validation split."""
    logits = predict_logits(checkpoint.build(), validation, torch.device("cpu"))
    majority = validation.ferplus_majority()
    heads = []
    for index, head in enumerate(checkpoint.heads):
        labels = validation.labels
        if majority is not None and head.name == "perceived":
            labels = majority
        own = logits[:, checkpoint.head_columns(head)]
        head = replace(head, temperature=fit_temperature(own, labels))
        if index == 0:
            head = correct_prior(head, own.numpy(), labels.numpy())
        probabilities = head.probabilities(own.numpy())
        heads.append(replace(head, threshold=confidence_threshold(probabilities)))
    checkpoint.heads = tuple(heads)


def correct_prior(head: Head, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Head:
    """Correct the class prior as far as it costs no more than half a point of accuracy.

    Accuracy on data with the same prior can only pay for the correction; what it buys is recall of
    the rarer classes, there and on pictures from elsewhere.

    Args:
        head: Calibrated head.
        logits: ``(N, K)`` on the validation split.
        labels: ``(N,)``; negative ones are left out.
    """
    kept = labels >= 0

    def accuracy(candidate: Head) -> float:
        answers = candidate.probabilities(logits[kept]).argmax(1)
        return float((answers == labels[kept]).mean())

    least = accuracy(replace(head, prior_correction=0.0)) - PRIOR_COST
    strengths = np.round(np.arange(0.0, 1.01, 0.1), 1).tolist()
    good = [x for x in strengths if accuracy(replace(head, prior_correction=x)) >= least]
    return replace(head, prior_correction=max(good))


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


def _markdown(checkpoint: Checkpoint, progress: Progress | None) -> str:
    parts = [f"# {checkpoint.model}"]
    if progress is not None:
        rows = progress.history
        parts += [
            f"{len(rows)} epochs, the best was epoch "
            f"{progress.best_epoch}; {sum(row['seconds'] for row in rows) / 60:.0f} minutes, "
            f"{sum(row['images_per_second'] for row in rows) / len(rows):.0f} images/s.",
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
            label_set = answered_label_set(checkpoint.head(name), sets)
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
