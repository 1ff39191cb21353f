"""Figures of an evaluation as PNG files: coverage, mistakes, robustness, the zoo."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from utils.evaluation.metrics import coverage_curve
from utils.evaluation.plots import ACCENT, INK, SOFT, save_figure, tidy

_COLUMNS, _ROWS = 6, 4
# Where a point's name may stand, the best place first.
_PLACES: list[dict[str, Any]] = [
    {"xytext": (x, y), "ha": "left" if x > 0 else "right" if x < 0 else "center", "va": va}
    for x, y, va in (
        (6, 3, "bottom"),
        (6, -3, "top"),
        (-6, 3, "bottom"),
        (-6, -3, "top"),
        (0, 16, "bottom"),
        (0, -16, "top"),
    )
]


def save_coverage(
    curves: Mapping[str, tuple[NDArray[np.float32], NDArray[np.int64]]],
    threshold: float,
    path: Path,
) -> None:
    """Draw how accuracy rises when the least confident answers are left out.

    Args:
        curves: Split name to probabilities ``(N, K)`` and labels ``(N,)``; negative labels are left
            out.
        threshold: Answers less probable than this are marked ``uncertain``.
        path: PNG file.
    """
    figure = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = figure.subplots()
    colors = (ACCENT, SOFT)
    for (name, (probabilities, labels)), color in zip(curves.items(), colors, strict=False):
        kept = labels >= 0
        coverage, accuracy = coverage_curve(probabilities[kept], labels[kept])
        shown = coverage >= 0.05  # a few answers make no rate
        axes.plot(
            coverage[shown] * 100, accuracy[shown] * 100, color=color, linewidth=2, label=name
        )
        at = accuracy[round(0.8 * len(accuracy)) - 1] * 100
        axes.plot([80], [at], "o", color=color)
        axes.annotate(f"{at:.1f}", (80, at), xytext=(4, 6), textcoords="offset points", color=INK)
        certain = float((probabilities[kept].max(1) >= threshold).mean())
        if certain:
            at = accuracy[max(round(certain * len(accuracy)), 1) - 1] * 100
            axes.plot([certain * 100], [at], "D", color=color, markerfacecolor="white")
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
    axes.set_xlabel("answers kept, %, the most confident first")
    axes.legend(frameon=False, loc="lower left")
    tidy(axes, "Accuracy of the answers kept, %")
    save_figure(figure, path)


def save_mistakes(
    images: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    path: Path,
) -> None:
    """Draw the most confident mistakes: each face with its label and the model's answer.

    Args:
        images: uint8 ``(N, C, S, S)``, grey or RGB.
        probabilities: ``(N, K)``.
        labels: ``(N,)``; negative ones are left out.
        classes: The K class names.
        path: PNG file.
    """
    answers, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero((labels >= 0) & (answers != labels))
    worst = wrong[np.argsort(-confidence[wrong])][: _COLUMNS * _ROWS]
    figure = Figure(figsize=(1.55 * _COLUMNS, 1.95 * _ROWS), layout="constrained")
    for i, axes in enumerate(figure.subplots(_ROWS, _COLUMNS).flat):
        axes.set_axis_off()
        if i < len(worst):
            index = worst[i]
            axes.imshow(images[index].transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255)
            answer = f"{classes[answers[index]]} {confidence[index]:.0%}"
            axes.set_title(f"{answer}\nlabel: {classes[labels[index]]}", fontsize=8, color=INK)
    save_figure(figure, path)


def save_robustness(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the points of accuracy that each degradation costs.

    Args:
        rows: ``name`` and ``drop`` (a share) of each.
        path: PNG file.
    """
    rows = sorted(rows, key=lambda row: row["drop"])
    figure = Figure(figsize=(6, 0.6 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    drops = [100 * row["drop"] for row in rows]
    bars = axes.barh([row["name"] for row in rows], drops, color=ACCENT, height=0.65)
    axes.bar_label(bars, fmt="%.1f", padding=3, color=INK, fontsize=9)
    tidy(axes, "Points of accuracy lost")
    axes.grid(visible=False)
    axes.spines[["bottom"]].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)
    save_figure(figure, path)


def save_zoo(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw every architecture's accuracy on both label sets against its cost.

    Args:
        rows: ``name``, ``multiply_adds``, ``ferplus_accuracy`` and ``accuracy`` (FER2013) of each.
        path: PNG file.
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    charts = (("ferplus_accuracy", "FER+ test accuracy, %"), ("accuracy", "FER2013 accuracy, %"))
    for axes, (key, title) in zip(figure.subplots(1, 2), charts, strict=True):
        known = [row for row in rows if row.get(key) is not None]
        x = [row["multiply_adds"] / 1e6 for row in known]
        y = [100 * row[key] for row in known]
        axes.scatter(x, y, color=ACCENT, s=36)
        axes.set_xlabel("multiply-adds, million")
        axes.margins(0.18)
        tidy(axes, title)
        figure.draw_without_rendering()  # settles where the points lie
        _name_points(axes, [row["name"] for row in known], list(zip(x, y, strict=True)))
    save_figure(figure, path)


def _name_points(axes: Axes, names: list[str], points: list[tuple[float, float]]) -> None:
    """Write each name beside its point, where no other name is yet."""
    taken: list[Bbox] = []
    for name, point in zip(names, points, strict=True):
        for place in _PLACES:
            text = axes.annotate(
                name, point, textcoords="offset points", fontsize=8, color=INK, **place
            )
            box = text.get_window_extent()
            if place is _PLACES[-1] or not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        taken.append(box)
