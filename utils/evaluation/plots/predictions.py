"""Predictions against labels as PNG files: confusion, reliability, coverage, mistakes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from utils.evaluation.metrics import ECE_BINS, Labels, Probabilities, coverage_curve
from utils.evaluation.plots.style import ACCENT, INK, SOFT, save_figure, tidy

_COLUMNS, _ROWS = 6, 4


def save_confusion(
    confusion: Sequence[Sequence[int]], classes: Sequence[str], *, path: Path, title: str
) -> None:
    """Draw a confusion matrix: each cell has the share of its row and, below, the count.

    Args:
        confusion: Counts ``(K, K)``; rows are labels, columns predictions.
        classes: The K class names.
        path: PNG file.
        title: The model, the split and the label set.
    """
    counts = np.asarray(confusion)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 1.6 + 0.85 * len(classes)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(classes)):
        for column in range(len(classes)):
            color = "white" if share[row, column] > 0.55 else INK
            axes.text(column, row - 0.1, f"{share[row, column]:.0%}", ha="center", color=color)
            axes.text(column, row + 0.27, counts[row, column], ha="center", color=color, fontsize=7)
    axes.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("prediction")
    axes.set_ylabel("label")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, color=INK, fontsize=11)
    save_figure(figure, path)


def save_reliability(probabilities: Probabilities, labels: Labels, *, path: Path) -> None:
    """Draw accuracy against confidence; a calibrated model lies on the diagonal.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; negative ones are left out.
        path: PNG file.
    """
    probabilities, labels = probabilities[labels >= 0], labels[labels >= 0]
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    edges = np.linspace(0, 1, ECE_BINS + 1)
    bins = np.clip(np.digitize(confidence, edges) - 1, 0, ECE_BINS - 1)
    filled = sorted(set(bins))
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1.5, label="perfectly calibrated")
    axes.bar(
        [(edges[b] + edges[b + 1]) / 2 for b in filled],
        [right[bins == b].mean() for b in filled],
        width=0.9 / ECE_BINS,
        color=ACCENT,
        label="accuracy",
    )
    axes.set_xlabel("confidence")
    axes.legend(frameon=False, loc="upper left")
    tidy(axes, "Accuracy by confidence")
    axes.set_xlim(0, 1)
    save_figure(figure, path)


def save_coverage(
    probabilities: Probabilities, labels: Labels, *, threshold: float, name: str, path: Path
) -> None:
    """Draw how accuracy rises when the least confident predictions are left out.

    Args:
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; negative ones are left out.
        threshold: Predictions less probable than this are marked ``uncertain``.
        name: Of the split, for the legend.
        path: PNG file.
    """
    probabilities, labels = probabilities[labels >= 0], labels[labels >= 0]
    coverage, accuracy = coverage_curve(probabilities, labels)
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = figure.subplots()
    shown = coverage >= 0.05  # the accuracy of a few predictions means little
    axes.plot(coverage[shown] * 100, accuracy[shown] * 100, color=ACCENT, linewidth=2, label=name)
    at = accuracy[round(0.8 * len(accuracy)) - 1] * 100
    axes.plot([80], [at], "o", color=ACCENT)
    axes.annotate(f"{at:.1f}", (80, at), xytext=(4, 6), textcoords="offset points", color=INK)
    certain = float((probabilities.max(1) >= threshold).mean())
    if certain:
        at = accuracy[max(round(certain * len(accuracy)), 1) - 1] * 100
        axes.plot([certain * 100], [at], "D", color=ACCENT, markerfacecolor="white")
        axes.annotate(
            f"{at:.1f}, not uncertain",
            (certain * 100, at),
            xytext=(0, -14),
            textcoords="offset points",
            ha="right",
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.axvline(80, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel("predictions kept, %, the most confident first")
    axes.legend(frameon=False, loc="lower left")
    tidy(axes, "Accuracy of the predictions kept, %")
    save_figure(figure, path)


def save_mistakes(
    images: NDArray[np.uint8],
    probabilities: Probabilities,
    *,
    labels: Labels,
    classes: Sequence[str],
    path: Path,
) -> None:
    """Draw the most confident mistakes: each face with its prediction and its label.

    Args:
        images: uint8 ``(N, C, S, S)``, grey or RGB.
        probabilities: ``(N, K)`` in 0..1.
        labels: ``(N,)`` class indices; negative ones are left out.
        classes: The K class names.
        path: PNG file.
    """
    predictions, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero((labels >= 0) & (predictions != labels))
    worst = wrong[np.argsort(-confidence[wrong])][: _COLUMNS * _ROWS]
    figure = Figure(figsize=(1.55 * _COLUMNS, 1.95 * _ROWS), layout="constrained")
    for i, axes in enumerate(figure.subplots(_ROWS, _COLUMNS).flat):
        axes.set_axis_off()
        if i < len(worst):
            index = worst[i]
            axes.imshow(images[index].transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255)
            prediction = f"{classes[predictions[index]]} {confidence[index]:.0%}"
            axes.set_title(f"{prediction}\nlabel: {classes[labels[index]]}", fontsize=8, color=INK)
    save_figure(figure, path)
