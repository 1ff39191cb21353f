"""What a model is worth: on labelled crops, and end to end on whole photos."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from utils.errors import DataError, ImageError
from utils.evaluation.calibration import compare_scalings
from utils.evaluation.metrics import bootstrap_intervals, report
from utils.evaluation.predict import predict_logits
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.sources import list_images
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head
from utils.processing.dataset import FaceDataset

FOLDER, FERPLUS = "folder", "ferplus"
LABEL_SETS = {FOLDER: "folder labels", FERPLUS: "FER+ majority"}


@dataclass(frozen=True)
class Evaluation:
    """Answers of a model's heads on one split.

    Attributes:
        classes: Class names.
        logits: Head name to float32 ``(N, K)``.
        probabilities: Head name to calibrated float32 ``(N, K)``.
        labels: Label set name (``folder``, ``ferplus``) to int64 ``(N,)``; -1 is no label.
        twins: bool ``(N,)``, has a near-identical training image; None if not looked for.
    """

    classes: tuple[str, ...]
    logits: dict[str, NDArray[np.float32]]
    probabilities: dict[str, NDArray[np.float32]]
    labels: dict[str, NDArray[np.int64]]
    twins: NDArray[np.bool_] | None = None

    def has(self, label_set: str) -> bool:
        """Tell whether any image has a label of a set."""
        return label_set in self.labels and bool((self.labels[label_set] >= 0).any())

    def label_agreement(self) -> float | None:
        """Return the share of images on which both label sets agree; None if there is one only."""
        if not self.has(FERPLUS):
            return None
        both = self.labels[FERPLUS] >= 0
        return float((self.labels[FOLDER] == self.labels[FERPLUS])[both].mean())

    def reports(self, head: str, intervals: bool = False) -> dict[str, dict[str, Any]]:
        """Return a head's figures by label set.

        Args:
            head: Name of the head.
            intervals: Add ``intervals``, the bootstrap 95 % intervals, which takes a second.

        Returns:
            For each label set the figures of ``utils.evaluation.metrics.report``, and
            ``accuracy_twin_free`` and ``twins`` if near-duplicates are known.
        """
        found = {}
        for name, labels in self.labels.items():
            if not self.has(name):
                continue
            probabilities = self.probabilities[head]
            figures = report(probabilities, labels, self.classes)
            if self.twins is not None:
                right = probabilities.argmax(1) == labels
                alone = (labels >= 0) & ~self.twins
                figures["accuracy_twin_free"] = float(right[alone].mean()) if alone.any() else None
                figures["twins"] = int((self.twins & (labels >= 0)).sum())
            if intervals:
                figures["intervals"] = bootstrap_intervals(probabilities, labels)
            found[name] = figures
        return found


def target_label_set(head: Head, available: Container[str]) -> str:
    """Return the label set that a head was trained to answer, if it is available."""
    return FERPLUS if head.name == "perceived" and FERPLUS in available else FOLDER


def label_sets(folder: FaceDataset) -> dict[str, NDArray[np.int64]]:
    """Return label set name (``folder``, ``ferplus`` where there are votes) to int64 ``(N,)``."""
    labels = {FOLDER: folder.labels}
    majority = folder.ferplus_majority()
    if majority is not None:
        labels[FERPLUS] = majority
    return labels


def evaluate_split(
    checkpoint: Checkpoint,
    folder: FaceDataset,
    twins: NDArray[np.bool_] | None = None,
    average: str = "none",
) -> Evaluation:
    """Predict every image of a split with every head of a checkpoint.

    Args:
        checkpoint: The model.
        folder: The images.
        twins: bool ``(N,)``, which of them have a near-identical training image.
        average: Test-time average, see ``utils.evaluation.predict.predict_logits``.

    Raises:
        DataError: The split has other classes than the checkpoint.
        CheckpointError: The weights do not fit the architecture.
    """
    if folder.classes != checkpoint.classes:
        raise DataError(f"the data has classes {folder.classes}, the model {checkpoint.classes}")
    logits = predict_logits(checkpoint.build(), folder, torch.device("cpu"), average).numpy()
    labels = label_sets(folder)
    own = {head.name: logits[:, checkpoint.head_columns(head)] for head in checkpoint.heads}
    probabilities = {head.name: head.probabilities(own[head.name]) for head in checkpoint.heads}
    return Evaluation(checkpoint.classes, own, probabilities, labels, twins)


def document(
    checkpoint: Checkpoint, head: Head, evaluation: Evaluation, split: str
) -> dict[str, Any]:
    """Return a head's figures on a split as plain types, the contents of ``--json``.

    The top level is against the labels that the head answers, ``label_set`` names them;
    ``label_sets`` has the figures against each. ``ferplus_accuracy`` is the first head's against
    the majority of FER+, ``fer2013_accuracy`` the last head's against the folder labels.
    """
    sets = evaluation.reports(head.name, intervals=True)
    label_set = target_label_set(head, sets)
    first, last = checkpoint.heads[0].name, checkpoint.heads[-1].name
    votes = evaluation.reports(first).get(FERPLUS)
    return {
        "model": checkpoint.model,
        "head": head.name,
        "trained_on": head.label_set,
        "split": split,
        "label_set": LABEL_SETS[label_set],
        "temperature": head.temperature,
        "threshold": head.threshold,
        "prior_correction": head.prior_correction,
        **sets[label_set],
        "ferplus_accuracy": votes["accuracy"] if votes else None,
        "fer2013_accuracy": evaluation.reports(last)[FOLDER]["accuracy"],
        "label_agreement": evaluation.label_agreement(),
        "label_sets": sets,
    }


def prior_table(head: Head, evaluation: Evaluation) -> list[dict[str, float]]:
    """Return what every strength of the prior correction would do to a head's figures.

    Returns:
        ``prior_correction``, ``accuracy``, ``balanced_accuracy`` and ``macro_f1`` for 0, 0.1 … 1,
        against the labels that the head answers.
    """
    labels = evaluation.labels[target_label_set(head, evaluation.labels)]
    rows = []
    for strength in np.round(np.arange(0.0, 1.01, 0.1), 1).tolist():
        changed = replace(head, prior_correction=strength)
        probabilities = changed.probabilities(evaluation.logits[head.name])
        figures = report(probabilities, labels, evaluation.classes)
        names = ("accuracy", "balanced_accuracy", "macro_f1")
        rows.append({"prior_correction": strength} | {name: figures[name] for name in names})
    return rows


def scaling_table(
    head: Head, validation: Evaluation, evaluation: Evaluation
) -> list[dict[str, Any]]:
    """Return what temperature and vector scaling would make of a head's logits.

    Args:
        head: Its prior correction plays no part.
        validation: The answers that scalings are fitted on.
        evaluation: The answers that they are measured on.

    Returns:
        Rows of ``utils.evaluation.calibration.compare_scalings``, by the labels that the head
        answers where both splits have them, and ``label_set``, which these are.
    """
    both = [name for name in LABEL_SETS if validation.has(name) and evaluation.has(name)]
    label_set = target_label_set(head, both)
    fitted, measured = (
        (torch.from_numpy(e.logits[head.name]), torch.from_numpy(e.labels[label_set]))
        for e in (validation, evaluation)
    )
    rows = compare_scalings(fitted, measured)
    return [row | {"label_set": LABEL_SETS[label_set]} for row in rows]


def evaluate_end_to_end(analyzer: EmotionAnalyzer, photos: Path) -> dict[str, Any]:
    """Take whole photos, one folder a class, through detector, crop and classifier.

    Each photo shows one person, so its largest face is the answer; a photo without a face found
    counts as wrong. Unreadable photos are left out and listed.

    Returns:
        ``photos`` (the folder), ``unreadable`` (a sentence for each), ``images``, ``accuracy``,
        ``balanced_accuracy``, ``no_face`` (a share), ``per_class``
        (recall and support) and ``confusion`` (label to answer to count).

    Raises:
        DataError: There are no class folders of the model's, or no photos.
    """
    folders = [c for c in analyzer.classes if (photos / c).is_dir()]
    found = [(name, path) for name in folders for path in list_images(photos / name)]
    if not found:
        raise DataError(f"{photos}: no photos in folders named {', '.join(analyzer.classes)}")
    labels, answers, unreadable = [], [], []
    for label, path in tqdm(found, desc="end to end", unit="photo"):
        try:
            faces = analyzer.analyze(path).faces
        except ImageError as error:
            unreadable.append(str(error))
            continue
        labels.append(label)
        answers.append(faces[0].emotion if faces else None)
    if not labels:
        raise DataError(f"{photos}: none of {len(found)} photos can be read: {unreadable[0]}")
    names = [name for name in folders if name in labels]
    figures = _end_to_end_report(labels, answers, names, analyzer.classes)
    return {"photos": str(photos), "unreadable": unreadable} | figures


def _end_to_end_report(
    labels: Sequence[str],
    answers: Sequence[str | None],
    names: Sequence[str],
    classes: Sequence[str],
) -> dict[str, Any]:
    confusion = {name: dict.fromkeys([*classes, "no_face"], 0) for name in names}
    for label, answer in zip(labels, answers, strict=True):
        confusion[label][answer or "no_face"] += 1
    support = {name: sum(row.values()) for name, row in confusion.items()}
    per_class = {
        name: {"recall": confusion[name][name] / support[name], "support": support[name]}
        for name in names
        if support[name]
    }
    return {
        "images": len(labels),
        "accuracy": sum(confusion[n][n] for n in names) / len(labels),
        "balanced_accuracy": float(np.mean([row["recall"] for row in per_class.values()])),
        "no_face": sum(row["no_face"] for row in confusion.values()) / len(labels),
        "per_class": per_class,
        "confusion": confusion,
    }
