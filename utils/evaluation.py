"""What a model is worth: on labelled crops, and end to end on whole photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from utils.analysis import EmotionAnalyzer
from utils.checkpoint import Checkpoint
from utils.errors import DataError, ImageError
from utils.images import list_images
from utils.metrics import report
from utils.processing import FaceFolder
from utils.training import predict_logits


@dataclass(frozen=True)
class Evaluation:
    """Answers of a model on one split.

    Attributes:
        classes: Class names.
        probabilities: Calibrated float32 ``(N, K)``.
        labels: Label set name (``folder``, ``ferplus``) to int64 ``(N,)``; -1 is no label.
        twins: bool ``(N,)``, has a near-identical training image; None if not looked for.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    labels: dict[str, NDArray[np.int64]]
    twins: NDArray[np.bool_] | None = None

    def label_agreement(self) -> float | None:
        """Return the share of images on which both label sets agree; None if there is one only."""
        if "ferplus" not in self.labels or not (self.labels["ferplus"] >= 0).any():
            return None
        both = self.labels["ferplus"] >= 0
        return float((self.labels["folder"] == self.labels["ferplus"])[both].mean())

    def reports(self) -> dict[str, dict[str, Any]]:
        """Return the figures of each label set; ``accuracy_twin_free`` too if twins are known."""
        found = {}
        for name, labels in self.labels.items():
            if not (labels >= 0).any():
                continue
            figures = report(self.probabilities, labels, self.classes)
            if self.twins is not None:
                unique = np.where(self.twins, -1, labels)
                figures["accuracy_twin_free"] = report(self.probabilities, unique, self.classes)[
                    "accuracy"
                ]
                figures["twins"] = int((self.twins & (labels >= 0)).sum())
            found[name] = figures
        return found


def evaluate_split(
    checkpoint: Checkpoint, folder: FaceFolder, twins: NDArray[np.bool_] | None = None
) -> Evaluation:
    """Answer every image of a split with a checkpoint's network and temperature.

    Raises:
        DataError: The split has other classes than the checkpoint.
        CheckpointError: The weights do not fit the architecture.
    """
    if folder.classes != checkpoint.classes:
        raise DataError(f"the data has classes {folder.classes}, the model {checkpoint.classes}")
    logits = predict_logits(checkpoint.build(), folder, torch.device("cpu"))
    labels = {"folder": folder.labels.numpy()}
    majority = folder.ferplus_majority()
    if majority is not None:
        labels["ferplus"] = majority.numpy()
    probabilities = (logits / checkpoint.temperature).softmax(1).numpy()
    return Evaluation(checkpoint.classes, probabilities, labels, twins)


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
