"""Detector, crop and classifier measured together on whole photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from utils.errors import DataError, ImageError
from utils.evaluation.results import ClassRecall, EndToEndResult
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.sources import list_images
from utils.results import Status

NO_FACE = Status.NO_FACE.value


@dataclass(frozen=True)
class _PhotoPredictions:
    """Each photo's label and the emotion of its largest face, None without one."""

    labels: list[str]
    emotions: list[str | None]
    unreadable: list[str]


def evaluate_end_to_end(analyzer: EmotionAnalyzer, photos: Path) -> EndToEndResult:
    """Analyse whole photos, one folder a class.

    Each photo shows one person, so the emotion of its largest face is the prediction; a photo
    without a detected face counts as wrong. Unreadable photos are left out and listed.

    Raises:
        DataError: No folder is named after a class of the model, or there are no photos.
    """
    names = [name for name in analyzer.classes if (photos / name).is_dir()]
    files = [(name, path) for name in names for path in list_images(photos / name)]
    if not files:
        raise DataError(f"{photos}: no photos in folders named {', '.join(analyzer.classes)}")
    predictions = _predict(analyzer, files)
    labels, unreadable = predictions.labels, predictions.unreadable
    if not labels:
        raise DataError(f"{photos}: none of {len(files)} photos can be read: {unreadable[0]}")
    names = [name for name in names if name in labels]
    confusion = _confusion(predictions, names, analyzer.classes)
    per_class = {
        name: ClassRecall(recall=row[name] / sum(row.values()), support=sum(row.values()))
        for name, row in confusion.items()
    }
    head = analyzer.classifier.head
    return EndToEndResult(
        model=analyzer.classifier.spec.model,
        head=head.name,
        detector=analyzer.detector.name,
        prior_correction=head.prior_correction,
        photos=str(photos),
        unreadable=unreadable,
        images=len(labels),
        accuracy=sum(confusion[name][name] for name in names) / len(labels),
        balanced_accuracy=float(np.mean([row.recall for row in per_class.values()])),
        no_face=sum(row[NO_FACE] for row in confusion.values()) / len(labels),
        per_class=per_class,
        confusion=confusion,
    )


def _predict(analyzer: EmotionAnalyzer, files: Sequence[tuple[str, Path]]) -> _PhotoPredictions:
    predictions = _PhotoPredictions([], [], [])
    for label, path in tqdm(files, desc="end to end", unit="photo"):
        try:
            faces = analyzer.analyze(path).faces
        except ImageError as error:
            predictions.unreadable.append(str(error))
            continue
        predictions.labels.append(label)
        predictions.emotions.append(faces[0].emotion if faces else None)
    return predictions


def _confusion(
    predictions: _PhotoPredictions, names: Sequence[str], classes: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return label to predicted emotion to count."""
    confusion = {name: dict.fromkeys([*classes, NO_FACE], 0) for name in names}
    for label, emotion in zip(predictions.labels, predictions.emotions, strict=True):
        confusion[label][emotion or NO_FACE] += 1
    return confusion
