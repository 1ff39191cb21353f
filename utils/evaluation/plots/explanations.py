"""Explanations as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from utils.emotions import color_of
from utils.evaluation.plots.style import INK, save_figure

if TYPE_CHECKING:  # drawing an explanation needs no PyTorch
    from utils.evaluation.grad_cam import Explanation

_MAP = "inferno"
_CELL = 1.9


def save_explanations(
    faces: NDArray[np.uint8], explanation: "Explanation", *, classes: Sequence[str], path: Path
) -> None:
    """Draw a row for each face: the face, its maps, its attention, its probabilities.

    Args:
        faces: uint8 ``(N, H, W, 3)`` as the network takes them, RGB or grey.
        explanation: Their explanation by ``Explainer.explain``.
        classes: The K class names.
        path: PNG file.
    """
    titles = [*explanation.layers]
    titles += [f"attention {i + 1}" for i in range(explanation.attention.shape[1])]
    maps = np.concatenate([explanation.maps, explanation.attention], 1)
    columns = len(titles) + 2
    figure = Figure(
        figsize=(_CELL * columns + 0.9, (_CELL + 0.35) * len(faces) + 0.2), layout="constrained"
    )
    grid = figure.subplots(len(faces), columns, squeeze=False)
    for axes, face, row, target, probabilities in zip(
        grid, faces, maps, explanation.targets, explanation.probabilities, strict=True
    ):
        why = f"why {classes[target]}? ({probabilities[target]:.0%})"
        _image(axes[0], face, why)
        for cell, title, influence in zip(axes[1:-1], titles, row, strict=True):
            _image(cell, face, title)
            cell.imshow(influence, cmap=_MAP, alpha=0.55, vmin=0, vmax=1, extent=_extent(face))
        _bars(axes[-1], probabilities, classes)
    _colour_bar(figure, grid[:, 1:-1].ravel().tolist())
    save_figure(figure, path)


def save_mean_maps(
    rows: Sequence[tuple[str, NDArray[np.float32], NDArray[np.float32], int]],
    title: str,
    *,
    path: Path,
) -> None:
    """Draw the regions that matter for each class: its mean face under its mean map.

    Args:
        rows: Class, mean face ``(S, S)`` in 0..255, mean map ``(S, S)`` in 0..1 and the number of
            faces in the mean.
        title: Which faces these are.
        path: PNG file.
    """
    figure = Figure(figsize=(_CELL * len(rows) + 0.9, _CELL + 0.8), layout="constrained")
    cells = figure.subplots(1, len(rows), squeeze=False)[0]
    for axes, (name, face, influence, count) in zip(cells, rows, strict=True):
        _image(axes, np.repeat(face[..., None], 3, 2).astype(np.uint8), f"{name} ({count})")
        axes.imshow(influence, cmap=_MAP, alpha=0.5, vmin=0, vmax=1, extent=_extent(face))
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
    _colour_bar(figure, cells.tolist())
    save_figure(figure, path)


def _extent(face: NDArray[np.generic]) -> tuple[float, float, float, float]:
    return (-0.5, face.shape[1] - 0.5, face.shape[0] - 0.5, -0.5)


def _image(axes: Axes, face: NDArray[np.uint8], title: str) -> None:
    axes.imshow(face)
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_axis_off()


def _bars(axes: Axes, probabilities: NDArray[np.float32], classes: Sequence[str]) -> None:
    positions = np.arange(len(classes))[::-1]
    bars = axes.barh(positions, probabilities, color=[color_of(name) for name in classes])
    labels = [f"{p:.0%}" for p in probabilities]
    axes.bar_label(bars, labels=labels, padding=2, fontsize=7, color=INK)
    axes.set_yticks(positions, classes, fontsize=7)
    axes.set_xlim(0, 1.25)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _colour_bar(figure: Figure, cells: list[Axes]) -> None:
    scale = ScalarMappable(Normalize(0, 1), _MAP)
    bar = figure.colorbar(scale, ax=cells, shrink=0.8, pad=0.02, aspect=25)
    bar.set_ticks([0, 1], labels=["low", "high"])
    bar.set_label("influence", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=8, length=0)
    bar.outline.set_visible(False)
