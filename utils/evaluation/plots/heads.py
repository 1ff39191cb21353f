"""The figures of one head on one split, under the names that reports and model cards link to."""

from pathlib import Path

import numpy as np

from utils.evaluation.chart_data import curves_file, save_curves
from utils.evaluation.curves import compute_curves
from utils.evaluation.plots.predictions import (
    save_confusion,
    save_coverage,
    save_mistakes,
    save_reliability,
)
from utils.evaluation.split import SplitPredictions
from utils.model.spec import Head
from utils.processing.dataset import FaceDataset


def save_figures(
    predictions: SplitPredictions, head: Head, *, model: str, split: str, out: Path
) -> None:
    """Draw a head's confusion matrix and reliability against the labels it was trained to predict.

    Args:
        predictions: The model's predictions on the split.
        head: One of its heads.
        model: Architecture, for the title.
        split: Name of the split.
        out: Folder for ``confusion_SPLIT_HEAD.png`` and ``reliability_SPLIT_HEAD.png``.
    """
    label_set = head.role.target_label_set(predictions.labels)
    metrics = predictions.metrics(head)[label_set]
    save_confusion(
        metrics.confusion,
        predictions.classes,
        path=out / f"confusion_{split}_{head.name}.png",
        title=f"{model} ({head.name}), {split}, {label_set.display_name}: {metrics.accuracy:.1%}",
    )
    save_reliability(
        predictions.probabilities[head.name],
        predictions.labels[label_set],
        path=out / f"reliability_{split}_{head.name}.png",
    )


def save_detailed_figures(
    predictions: SplitPredictions,
    head: Head,
    *,
    dataset: FaceDataset,
    model: str,
    split: str,
    out: Path,
) -> None:
    """Draw ``save_figures``, accuracy by coverage and the most confident mistakes.

    Args:
        predictions: The model's predictions on the split.
        head: One of its heads.
        dataset: The images of the split.
        model: Architecture, for the title.
        split: Name of the split.
        out: Folder for the files; ``coverage_SPLIT_HEAD.png``, ``mistakes_SPLIT_HEAD.png`` and
            ``curves_SPLIT_HEAD.json``, the data of the app's charts, too.
    """
    save_figures(predictions, head, model=model, split=split, out=out)
    probabilities, labels = predictions.probabilities[head.name], predictions.target_labels(head)
    save_coverage(
        probabilities,
        labels,
        threshold=head.threshold,
        name=split,
        path=out / f"coverage_{split}_{head.name}.png",
    )
    curves = compute_curves(probabilities, labels, threshold=head.threshold)
    save_curves(curves, curves_file(out, split, head.name))
    save_mistakes(
        dataset.batch(np.arange(len(dataset))),
        probabilities,
        labels=labels,
        classes=predictions.classes,
        path=out / f"mistakes_{split}_{head.name}.png",
    )
