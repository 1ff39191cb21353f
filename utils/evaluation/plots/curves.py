"""Training curves as a PNG file."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from utils.evaluation.plots.style import ACCENT, INK, SOFT, save_figure, tidy


def save_curves(history: Sequence[dict[str, float]], path: Path, *, kept: int) -> None:
    """Draw loss, accuracy and learning rate over the epochs.

    Args:
        history: One row an epoch, see ``utils.training.history.EpochResult``.
        path: PNG file.
        kept: Number of the epoch whose weights are kept; it is marked.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    loss, accuracy, lr = figure.subplots(1, 3)
    for axes, key, scale in ((loss, "loss", 1.0), (accuracy, "accuracy", 100.0)):
        for split, color in (("train", SOFT), ("validation", ACCENT)):
            values = [row[f"{split}_{key}"] * scale for row in history]
            axes.plot(epochs, values, label=split, color=color, linewidth=2)
        axes.legend(frameon=False)
    accuracy_kept = next(row["validation_accuracy"] for row in history if row["epoch"] == kept)
    accuracy.axvline(kept, color=INK, linewidth=0.8, linestyle=":")
    accuracy.annotate(
        f"kept {accuracy_kept:.1%}",
        (kept, accuracy_kept * 100),
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
