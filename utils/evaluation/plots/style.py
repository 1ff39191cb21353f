"""The style of all figures."""

from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.files import write_file

INK, ACCENT, SOFT = "#2b2f36", "#4477aa", "#c9d3df"


def tidy(axes: Axes, title: str) -> None:
    """Give a chart its title, a light grid and no frame."""
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e8ebef", linewidth=0.8)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; its folder is created if missing."""
    file = BytesIO()
    figure.savefig(file, dpi=130, facecolor="white")
    write_file(path, file.getvalue())
