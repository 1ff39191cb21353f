"""Training curves as a PNG file."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from utils.evaluation.plots.style import ACCENT, INK, SOFT, save_figure, tidy


def save_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw loss, accuracy and learning rate over the epochs.

    Args:
        history: One row an epoch, see ``utils.training.trainer.TrainingHistory``.
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
