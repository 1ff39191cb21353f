"""The style of all figures."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, ACCENT, SOFT = "#2b2f36", "#4477aa", "#c9d3df"


def tidy(axes: Axes, title: str) -> None:
    """Give a chart its title, a light grid and no frame."""
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e8ebef", linewidth=0.8)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; its folder is created if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor="white")
