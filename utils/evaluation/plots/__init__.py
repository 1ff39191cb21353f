"""Figures of an evaluation as PNG files; figures of explanations are in ``explanations``."""

from utils.evaluation.plots.style import ACCENT, INK, SOFT, save_figure, tidy

__all__ = ["ACCENT", "INK", "SOFT", "save_figure", "tidy"]
