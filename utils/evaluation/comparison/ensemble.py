"""What several models predict together: the ceiling for a student that they teach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.errors import DataError
from utils.evaluation.metrics import compute_metrics
from utils.evaluation.results import Metrics
from utils.evaluation.split import LabelledSplit, SplitPredictions
from utils.model.checkpoint import Checkpoint
from utils.model.spec import LabelSet

MEAN = "mean"


@dataclass(frozen=True)
class EnsembleRow:
    """The metrics of one model, or of the mean of several, against a label set.

    Attributes:
        name: The model, or ``mean``.
        label_set: What it is measured against.
        metrics: With bootstrap 95 % intervals.
    """

    name: str
    label_set: LabelSet
    metrics: Metrics

    def to_document(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return {"name": self.name, "label_set": self.label_set.value} | self.metrics.to_document()


def measure_ensemble(models: Mapping[str, Checkpoint], split: LabelledSplit) -> list[EnsembleRow]:
    """Measure models, and the mean of their calibrated probabilities, on the same images.

    Each is measured by its head for a label set, or by its default head if it has none; such a
    default head is not part of the mean, unless no model has a head for that label set.

    Args:
        models: The models by name.
        split: The images.

    Returns:
        For each label set the models in their order, then their mean.

    Raises:
        DataError: The split can't be used, or has other classes than a model.
    """
    predictions = {name: split.predict(model) for name, model in models.items()}
    first = next(iter(predictions.values()))
    if any(found.classes != first.classes for found in predictions.values()):
        raise DataError("the models have different classes and can't be averaged")
    return [
        row
        for label_set in first.labels
        if first.has(label_set)
        for row in _rows(models, predictions, label_set)
    ]


def _rows(
    models: Mapping[str, Checkpoint], predictions: dict[str, SplitPredictions], label_set: LabelSet
) -> list[EnsembleRow]:
    heads = {name: model.head_for(label_set) for name, model in models.items()}
    found = {name: predictions[name].probabilities[head.name] for name, head in heads.items()}
    trained = [
        found[name]
        for name, head in heads.items()
        if head.role.target_label_set(tuple(LabelSet)) == label_set
    ]
    found[MEAN] = np.mean(trained or list(found.values()), axis=0)
    some = next(iter(predictions.values()))
    return [
        EnsembleRow(
            name,
            label_set,
            compute_metrics(
                probabilities, some.labels[label_set], classes=some.classes, intervals=True
            ),
        )
        for name, probabilities in found.items()
    ]
