"""The timeline of a recording: probabilities or a count over time, with gaps and markers.

Curves are SVG that stretches to any width; names and numbers are HTML beside it, which does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from utils.emotions import css_color
from utils.media.figures.timecode import timecode
from utils.results import Status
from utils.text import visible

GAP_REASONS = {
    Status.NO_FACE.value: "no face",
    Status.LOW_QUALITY.value: "can't be classified",
    Status.CAMERA_OFF.value: "camera off",
    Status.FAILED.value: "analysis failed",
}
_WIDTH, _HEIGHT = 1000.0, 100.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MAX_TICKS = 6
# A narrower gap has no room for its reason; the tooltip has it.
_NAMED_GAP = 0.08


@dataclass(frozen=True)
class TimeAxis:
    """What the timelines of a recording share.

    Attributes:
        end: Last second.
        gaps: Of ``utils.media.timeseries.find_gaps``.
        markers: Second and label of each.
    """

    end: float
    gaps: pd.DataFrame
    markers: Sequence[tuple[float, str]] = ()

    def share(self, seconds: float) -> float:
        """Return where a time lies on the axis, 0..1."""
        return min(max(seconds / self.end, 0.0), 1.0) if self.end > 0 else 0.0


def safe(text: object) -> str:
    """Return foreign text as HTML that shows it as it is."""
    return escape(visible(text))


def percent(share: float) -> str:
    """Return a share as text such as ``32%``."""
    return f"{round(100 * share)}%"


def probabilities_timeline(
    series: pd.DataFrame, classes: Sequence[str], axis: TimeAxis, *, label: str, stacked: bool
) -> str:
    """Draw probabilities over time as HTML.

    Args:
        series: ``time`` and the ``p_<class>`` columns, as of
            ``utils.media.timeseries.face_series``; curves break at rows without values.
        classes: Names of the classes.
        axis: The time axis.
        label: What is shown, for those who can't see it.
        stacked: Draw areas on top of each other; else lines.
    """
    values = series[[f"p_{name}" for name in classes]].to_numpy(float)
    times = series["time"].to_numpy(float)
    curves = []
    for number, name in enumerate(classes):
        below = values[:, :number].sum(1) if stacked else None
        top = values[:, : number + 1].sum(1) if stacked else values[:, number]
        path = "".join(_path(times, top, axis, below=below))
        curves.append(_curve(path, css_color(name), filled=stacked, title=name))
    return _plot("".join(curves), axis, label=label, ticks=("100%", "50%", "0%"))


def count_timeline(times: Sequence[float], counts: Sequence[int], axis: TimeAxis) -> str:
    """Draw the number of faces over time as HTML.

    Args:
        times: Ascending, in seconds.
        counts: Faces at each.
        axis: The time axis.
    """
    most = max(counts, default=0)
    heights = np.repeat(np.asarray(counts, float) / max(most, 1), 2)[:-1]
    steps = np.repeat(np.asarray(times, float), 2)[1:]
    path = "".join(_path(steps, heights, axis, below=np.zeros_like(heights)))
    curve = _curve(path, "light-dark(#2f6077,#86b8cf)", filled=True, title="faces")
    label = f"Number of faces, at most {most}"
    return f"<div class='count'>{_plot(curve, axis, label=label, ticks=(str(most), '0'))}</div>"


def legend(classes: Sequence[str], axis: TimeAxis) -> str:
    """Return the classes with their colours, and what else the timelines show, as HTML."""
    items = [
        f"<span><i class='dot' style='background:{css_color(name)}'></i>{safe(name)}</span>"
        for name in classes
    ]
    if len(axis.gaps):
        reasons = [GAP_REASONS.get(name, name) for name in dict.fromkeys(axis.gaps["reason"])]
        items.append(f"<span><i class='dot gap'></i>{safe(', '.join(reasons))}</span>")
    if axis.markers:
        items.append("<span><i class='dot rule'></i>marker</span>")
    return f"<p class='legend'>{''.join(items)}</p>"


def _path(
    times: NDArray[np.float64],
    top: NDArray[np.float64],
    axis: TimeAxis,
    *,
    below: NDArray[np.float64] | None,
) -> Iterator[str]:
    """Yield a piece of an SVG path for each run of rows with values."""
    across = _WIDTH * np.array([axis.share(time) for time in times])
    seen = ~np.isnan(top)
    for run in np.split(np.arange(len(times)), np.flatnonzero(np.diff(seen)) + 1):
        if not len(run) or not seen[run[0]]:
            continue
        points = [(across[i], _HEIGHT * (1 - top[i])) for i in run]
        if below is not None:
            points += [(across[i], _HEIGHT * (1 - below[i])) for i in run[::-1]]
        line = " ".join(f"{x:.1f} {y:.1f}" for x, y in points)
        yield f"M{line}{'' if below is None else 'Z'}"


def _curve(path: str, color: str, *, filled: bool, title: str) -> str:
    title = f"<title>{safe(title)}</title>"
    if filled:
        return f"<path d='{path}' style='fill:{color}'>{title}</path>"
    return f"<path class='line' d='{path}' style='stroke:{color}'>{title}</path>"


def _plot(curves: str, axis: TimeAxis, *, label: str, ticks: Sequence[str]) -> str:
    shades, reasons = _gaps(axis)
    levels = "".join(f"<span>{text}</span>" for text in ticks)
    return (
        f"<div class='timeline'>{_names(axis)}<div class='levels'>{levels}</div>"
        f"<div class='plot' role='img' aria-label='{safe(label)}'>"
        f"<svg viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' preserveAspectRatio='none' "
        f"aria-hidden='true'>{shades}{curves}</svg>{reasons}{_rules(axis)}</div>"
        f"<div class='times'>{_times(axis)}</div></div>"
    )


def _gaps(axis: TimeAxis) -> tuple[str, str]:
    """Return the gaps' shades as SVG, and their reasons as HTML."""
    shades, reasons = [], []
    for gap in axis.gaps.itertuples():
        start, width = axis.share(gap.start), axis.share(gap.end) - axis.share(gap.start)
        reason = safe(GAP_REASONS.get(gap.reason, gap.reason))
        shades.append(
            f"<rect class='gap' x='{_WIDTH * start:.1f}' width='{_WIDTH * max(width, 0.002):.1f}' "
            f"y='0' height='{_HEIGHT:.0f}'><title>{reason}</title></rect>"
        )
        if width >= _NAMED_GAP:
            style = f"left:{start:.2%};width:{width:.2%}"
            reasons.append(f"<span class='reason' style='{style}'>{reason}</span>")
    return "".join(shades), "".join(reasons)


def _rules(axis: TimeAxis) -> str:
    return "".join(
        f"<span class='rule' style='left:{axis.share(time):.2%}' title='{safe(label)}'></span>"
        for time, label in axis.markers
    )


def _names(axis: TimeAxis) -> str:
    """Return the markers' labels; each has the room up to the next."""
    starts = [axis.share(time) for time, _ in axis.markers]
    labels = "".join(
        f"<span style='left:{start:.2%};width:{end - start:.2%}'>{safe(label)}</span>"
        for start, end, (_, label) in zip(starts, [*starts, 1.0][1:], axis.markers, strict=True)
    )
    return f"<div class='names'>{labels}</div>" if labels else ""


def _times(axis: TimeAxis) -> str:
    step = next((step for step in _STEPS if axis.end / step <= _MAX_TICKS), _STEPS[-1])
    ticks = range(0, int(axis.end) + 1, step)
    return "".join(
        f"<span style='left:{axis.share(tick):.2%}'>{timecode(tick)}</span>" for tick in ticks
    )
