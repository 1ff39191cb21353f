"""Probabilities smoothed over time: calm on a still face, quick when its expression changes."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from utils.defaults import CHART_TAU, TAU

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Smoother:
    """Exponential smoothing over time instead of frames, so it is the same at 10 and 60 fps.

    With ``Δt`` the time since the previous value, the new value is
    ``α · previous + (1 − α) · value`` where ``α = exp(−Δt / τ)``.

    Attributes:
        tau: Time constant τ in seconds: after τ, 63% of a jump has arrived. 0 switches the
            smoothing off.

    Raises:
        ValueError: ``tau`` is negative or not finite.
    """

    tau: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.tau) and self.tau >= 0):
            raise ValueError(f"tau must be a time in seconds, at least 0, not {self.tau}")

    def step(self, previous: Vector, value: Vector, *, elapsed: float) -> Vector:
        """Return the smoothed value ``elapsed`` seconds after ``previous``, read-only."""
        if self.tau == 0:
            return frozen(value)
        alpha = np.exp(-max(elapsed, 0.0) / self.tau)
        return frozen(alpha * previous + (1.0 - alpha) * value)


@dataclass(frozen=True)
class ChangeDetection:
    """When smoothing gives way to a change of expression.

    A single raw prediction that contradicts the smoothed one may be noise. If contradictions go on
    for ``confirm`` seconds, the expression has changed: the short time constant then applies until
    raw and smoothed predictions agree again.

    Attributes:
        distance: Two predictions contradict each other if their most probable classes differ and
            more than this much probability would have to move between them (total variation
            distance, 0 to 1).
        confirm: Seconds for which the contradiction must have lasted.
        tau: The short time constant in seconds.
    """

    distance: float = 0.4
    confirm: float = 0.05
    tau: float = 0.04

    def contradicts(self, raw: Vector, smoothed: Vector) -> bool:
        """Tell whether a raw prediction contradicts the smoothed one."""
        apart = 0.5 * float(np.abs(raw - smoothed).sum())
        return apart > self.distance and int(raw.argmax()) != int(smoothed.argmax())


@dataclass(frozen=True)
class Prediction:
    """The prediction for one tracked face; arrays are read-only.

    Attributes:
        raw: float32 ``(K,)`` probabilities of the last classified frame alone.
        smoothed: float32 ``(K,)``, smoothed for display.
        chart: float32 ``(K,)``, smoothed for the timeline.
        label: Index of the displayed class.
        contradicted_since: Media time in seconds since which raw predictions contradict the
            smoothed one; None while they agree.
    """

    raw: Vector
    smoothed: Vector
    chart: Vector
    label: int
    contradicted_since: float | None = None

    @property
    def shown(self) -> Vector:
        """The probabilities nearest to ``smoothed`` among which ``label`` is the most probable.

        While two classes are in balance, the label stays and their bars are level.
        """
        classes = np.argsort(-self.smoothed, kind="stable")
        level = [self.label]
        for index in classes:
            mean = float(self.smoothed[level].mean())
            if self.smoothed[index] <= mean or index == self.label:
                break
            level.append(int(index))
        shown = np.array(self.smoothed)
        shown[level] = self.smoothed[level].mean()
        return frozen(shown)

    def with_raw(self, raw: Vector) -> "Prediction":
        """Return this prediction with other raw probabilities; the smoothed ones stay."""
        return replace(self, raw=frozen(raw))


@dataclass(frozen=True)
class Smoothing:
    """How the predictions of a stream are smoothed.

    Attributes:
        probabilities: Smoother of the displayed probabilities.
        chart: Smoother of the timeline, slower.
        change: Detection of a change of expression; None for plain exponential smoothing.
        hysteresis: The displayed class changes only if another is more probable by this much.
    """

    probabilities: Smoother = Smoother(TAU)
    chart: Smoother = Smoother(CHART_TAU)
    change: ChangeDetection | None = field(default=ChangeDetection(), kw_only=True)
    hysteresis: float = field(default=0.15, kw_only=True)

    def start(self, raw: Vector) -> Prediction:
        """Return the prediction after a face's first frame, ``raw`` being float32 ``(K,)``."""
        value = frozen(raw)
        return Prediction(value, value, value, int(value.argmax()))

    def smooth(
        self, previous: Prediction, raw: Vector, *, time: float, elapsed: float
    ) -> Prediction:
        """Return the prediction after another frame.

        Args:
            previous: The prediction so far.
            raw: float32 ``(K,)`` probabilities of the new frame.
            time: Media time of the new frame in seconds.
            elapsed: Seconds since the frame of ``previous``.
        """
        since, smoother = None, self.probabilities
        if self.change and self.change.contradicts(raw, previous.smoothed):
            since = previous.contradicted_since
            since = time if since is None else since
            if time - since >= self.change.confirm and self.change.tau < smoother.tau:
                smoother = Smoother(self.change.tau)
        smoothed = smoother.step(previous.smoothed, raw, elapsed=elapsed)
        best = int(smoothed.argmax())
        lead = float(smoothed[best] - smoothed[previous.label])
        return Prediction(
            raw=frozen(raw),
            smoothed=smoothed,
            chart=self.chart.step(previous.chart, raw, elapsed=elapsed),
            label=best if lead > self.hysteresis else previous.label,
            contradicted_since=since,
        )


def frozen(array: ArrayLike) -> Vector:
    """Return a read-only float32 copy."""
    copy = np.array(array, dtype=np.float32)
    copy.setflags(write=False)
    return copy
