"""A labelled split, and the predictions of a model's heads on it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from utils.errors import DataError
from utils.evaluation.metrics import compute_metrics
from utils.evaluation.predict import predict_logits
from utils.evaluation.results import Document, Metrics
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head, LabelSet
from utils.processing.dataset import FaceDataset, load_split
from utils.processing.near_duplicates import SIDE, find_near_duplicates

_CACHE_GB = 4


@dataclass(frozen=True)
class SplitPredictions:
    """The predictions of a model's heads on one split, with the labels.

    Attributes:
        classes: The K class names.
        logits: Head name to float32 ``(N, K)``.
        probabilities: Head name to calibrated float32 ``(N, K)``.
        labels: Label set to int64 ``(N,)`` class indices; -1 is no label.
        near_duplicates: bool ``(N,)``, which images have a near-duplicate among the training
            images; None if not searched for.
    """

    classes: tuple[str, ...]
    logits: dict[str, NDArray[np.float32]]
    probabilities: dict[str, NDArray[np.float32]]
    labels: dict[LabelSet, NDArray[np.int64]]
    near_duplicates: NDArray[np.bool_] | None = None

    def has(self, label_set: LabelSet) -> bool:
        """Return whether any image has a label of a set."""
        return label_set in self.labels and bool((self.labels[label_set] >= 0).any())

    def label_agreement(self) -> float | None:
        """Return the share of images on which both label sets agree; None if there is one only."""
        if not self.has(LabelSet.FERPLUS):
            return None
        votes, folders = self.labels[LabelSet.FERPLUS], self.labels[LabelSet.FOLDER]
        return float((folders == votes)[votes >= 0].mean())

    def target_labels(self, head: Head) -> NDArray[np.int64]:
        """Return the labels that a head was trained to predict, int64 ``(N,)``."""
        return self.labels[head.role.target_label_set(self.labels)]

    def metrics(self, head: Head, *, intervals: bool = False) -> dict[LabelSet, Metrics]:
        """Return a head's metrics against each label set that labels any image.

        Args:
            head: One of the model's heads.
            intervals: Compute the bootstrap 95% intervals, which takes a second.
        """
        return {
            label_set: compute_metrics(
                self.probabilities[head.name],
                labels,
                classes=self.classes,
                near_duplicates=self.near_duplicates,
                intervals=intervals,
            )
            for label_set, labels in self.labels.items()
            if self.has(label_set)
        }

    def metrics_document(self, heads: Iterable[Head]) -> Document:
        """Return plain types for a checkpoint: head name to label set to metrics."""
        return {
            head.name: {k.value: m.to_document() for k, m in self.metrics(head).items()}
            for head in heads
        }


def label_sets(dataset: FaceDataset) -> dict[LabelSet, NDArray[np.int64]]:
    """Return each label set of a dataset as int64 ``(N,)``; ``FERPLUS`` only where it has votes."""
    labels = {LabelSet.FOLDER: dataset.labels}
    majority = dataset.ferplus_majority()
    if majority is not None:
        labels[LabelSet.FERPLUS] = majority
    return labels


def predict_split(
    checkpoint: Checkpoint, dataset: FaceDataset, *, average: str = "none"
) -> SplitPredictions:
    """Predict every image of a dataset with every head of a checkpoint.

    Args:
        checkpoint: The model.
        dataset: The images.
        average: Test-time average, see ``utils.evaluation.predict.predict_logits``.

    Raises:
        CheckpointError: The weights do not fit the architecture.
        DataError: The dataset has other classes than the checkpoint.
    """
    if dataset.classes != checkpoint.classes:
        raise DataError(f"the data has classes {dataset.classes}, the model {checkpoint.classes}")
    cpu = torch.device("cpu")
    outputs = predict_logits(checkpoint.build(), dataset, device=cpu, average=average).numpy()
    logits = {head.name: outputs[:, checkpoint.head_columns(head)] for head in checkpoint.heads}
    probabilities = {head.name: head.probabilities(logits[head.name]) for head in checkpoint.heads}
    return SplitPredictions(checkpoint.classes, logits, probabilities, label_sets(dataset))


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """Which labelled images to predict, and how.

    Attributes:
        data: Prepared data folder.
        split: ``train``, ``validation`` or ``test``.
        ferplus: FER+ votes that are not in ``DATA/ferplus.csv``.
        average: Test-time average, see ``utils.evaluation.predict.predict_logits``.
    """

    data: Path = Path("images")
    split: str = "test"
    ferplus: Path | None = None
    average: str = "none"


class LabelledSplit:
    """One split of a prepared data folder; its near-duplicates are searched for only once.

    Args:
        config: Which split.
    """

    def __init__(self, config: SplitConfig) -> None:
        self.config = config
        self._near_duplicates: NDArray[np.bool_] | None = None

    def dataset(self, checkpoint: Checkpoint) -> FaceDataset:
        """Return the images as a model takes them, in memory if they fit.

        Raises:
            DataError: The split is missing, can't be decoded or has other classes.
        """
        dataset = load_split(
            self.config.data,
            self.config.split,
            preprocessing=checkpoint.preprocessing,
            classes=checkpoint.classes,
            votes_file=self.config.ferplus,
        )
        dataset.cache(limit_gb=_CACHE_GB)
        return dataset

    def predict(
        self, checkpoint: Checkpoint, *, mark_near_duplicates: bool = False
    ) -> SplitPredictions:
        """Predict every image with every head of a model.

        Args:
            checkpoint: The model.
            mark_near_duplicates: Search the training split for near-duplicates, which can take a
                minute; without a training split, or for the training split itself, none are marked.

        Raises:
            DataError: The split is missing, can't be decoded or has other classes.
        """
        dataset = self.dataset(checkpoint)
        predictions = predict_split(checkpoint, dataset, average=self.config.average)
        if not mark_near_duplicates:
            return predictions
        if self._near_duplicates is None and self._has_training_images():
            self._near_duplicates = self._find_near_duplicates(dataset)
        return replace(predictions, near_duplicates=self._near_duplicates)

    def _find_near_duplicates(self, dataset: FaceDataset) -> NDArray[np.bool_]:
        grey = replace(dataset.preprocessing, color="grey", input_size=SIDE)
        train = load_split(self.config.data, "train", preprocessing=grey, classes=dataset.classes)
        return find_near_duplicates(train, dataset.with_preprocessing(grey))

    def _has_training_images(self) -> bool:
        return self.config.split != "train" and (self.config.data / "train").is_dir()
