"""Corruptions and architectures compared, as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from utils.evaluation.comparison.zoo_table import ZooRow
from utils.evaluation.plots.style import ACCENT, INK, save_figure, tidy
from utils.evaluation.results import RobustnessRow

# Places for a point's name, the best first.
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


def save_robustness(rows: Sequence[RobustnessRow], path: Path) -> None:
    """Draw the points of accuracy that each corruption costs.

    Args:
        rows: One for each corruption.
        path: PNG file.
    """
    rows = sorted(rows, key=lambda row: row.drop)
    figure = Figure(figsize=(6, 0.6 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    drops = [100 * row.drop for row in rows]
    bars = axes.barh([row.name for row in rows], drops, color=ACCENT, height=0.65)
    axes.bar_label(bars, fmt="%.1f", padding=3, color=INK, fontsize=9)
    tidy(axes, "Points of accuracy lost")
    axes.grid(visible=False)
    axes.spines[["bottom"]].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)
    save_figure(figure, path)


def save_zoo(rows: Sequence[ZooRow], path: Path) -> None:
    """Draw every architecture's accuracy against its cost, one chart for each label set.

    Args:
        rows: One for each architecture; those without a FER+ accuracy are left out of its chart.
        path: PNG file.
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    ferplus, fer2013 = figure.subplots(1, 2)
    votes = [(row, row.ferplus_accuracy) for row in rows if row.ferplus_accuracy is not None]
    _scatter(ferplus, votes, "FER+ test accuracy, %")
    _scatter(fer2013, [(row, row.accuracy) for row in rows], "FER2013 accuracy, %")
    save_figure(figure, path)


def _scatter(axes: Axes, rows: Sequence[tuple[ZooRow, float]], title: str) -> None:
    points = [(row.multiply_adds / 1e6, 100 * accuracy) for row, accuracy in rows]
    axes.scatter([x for x, _ in points], [y for _, y in points], color=ACCENT, s=36)
    axes.set_xlabel("multiply-adds, million")
    axes.margins(0.18)
    tidy(axes, title)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # settles the positions of the points
    _name_points(axes, [row.name for row, _ in rows], points)


def _name_points(axes: Axes, names: list[str], points: list[tuple[float, float]]) -> None:
    """Write each name beside its point, in the first place that no other name occupies."""
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
