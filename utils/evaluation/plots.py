"""Figures as PNG files: training curves, confusion matrices, reliability."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from utils.evaluation.metrics import ECE_BINS

INK, ACCENT, SOFT = "#2b2f36", "#4477aa", "#c9d3df"


def save_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw loss, accuracy and learning rate over the epochs.

    Args:
        history: Rows of ``utils.training.trainer.TrainingHistory.history``.
        path: PNG file.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    loss, accuracy, lr = figure.subplots(1, 3)
    for axes, key, scale in ((loss, "loss", 1.0), (accuracy, "accuracy", 100.0)):
        for split, color in (("train", SOFT), ("validation", ACCENT)):
            values = [row[f"{split}_{key}"] * scale for row in history]
            axes.plot(epochs, values, label=split, color=color, linewidth=2)
        axes.legend(frameon=False)
    best = max(history, key=lambda row: row["validation_accuracy"])
    accuracy.axvline(best["epoch"], color=INK, linewidth=0.8, linestyle=":")
    accuracy.annotate(
        f"best {best['validation_accuracy']:.1%}",
        (best["epoch"], best["validation_accuracy"] * 100),
        xytext=(-6, -14),
        textcoords="offset points",
        ha="right",
        color=INK,
    )
    lr.plot(epochs, [row["lr"] for row in history], color=ACCENT, linewidth=2)
    for axes, title in ((loss, "Loss"), (accuracy, "Accuracy, %"), (lr, "Learning rate")):
        tidy(axes, title)
        axes.set_xlabel("epoch")
    save_figure(figure, path)


def save_confusion(confusion: Any, classes: Sequence[str], path: Path, title: str) -> None:
    """Draw a confusion matrix: shade and upper figure by row in percent, counts below.

    Args:
        confusion: Counts ``(K, K)``, rows are true classes.
        classes: The K class names.
        path: PNG file.
        title: What was measured on what.
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
    axes.set_xlabel("answer of the model")
    axes.set_ylabel("label")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, color=INK, fontsize=11)
    save_figure(figure, path)


def save_reliability(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], path: Path
) -> None:
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


def tidy(axes: Axes, title: str) -> None:
    """Give a chart its title and take away what does not help."""
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e8ebef", linewidth=0.8)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor="white")
