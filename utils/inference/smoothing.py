"""Probabilities smoothed in time: calm while a face is still, quick when its expression changes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Smoother:
    """Exponential smoothing over time instead of frames, so it is the same at 10 and 60 fps.

    With ``Δt`` the time since the previous value, the new value is
    ``α · previous + (1 − α) · value`` where ``α = exp(−Δt / τ)``.

    Attributes:
        tau: The time constant τ in seconds; after τ, 63 % of a jump has arrived. 0 switches the
            smoothing off.
    """

    tau: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.tau) and self.tau >= 0):
            raise ValueError(f"tau must be a time in seconds, at least 0, not {self.tau}")

    def step(self, previous: Vector, value: Vector, elapsed: float) -> Vector:
        """Return the smoothed value ``elapsed`` seconds after ``previous``; a mean of the two."""
        if self.tau == 0:
            return frozen(value)
        alpha = np.exp(-max(elapsed, 0.0) / self.tau)
        return frozen(alpha * previous + (1.0 - alpha) * value)


@dataclass(frozen=True)
class Reaction:
    """When smoothing gives way to a change of expression.

    One answer that contradicts the smoothed one may be noise; answers that go on contradicting it
    are a change, and from then on the short time constant holds until they agree again.

    Attributes:
        distance: Two answers contradict each other if they name different classes and so much
            probability would have to move between them (total variation, 0 to 1).
        confirm: Seconds for which the contradiction must have lasted.
        tau: The short time constant in seconds.
    """

    distance: float = 0.4
    confirm: float = 0.05
    tau: float = 0.04

    def contradict(self, raw: Vector, smoothed: Vector) -> bool:
        """Tell whether a new answer contradicts the smoothed one."""
        apart = 0.5 * float(np.abs(raw - smoothed).sum())
        return apart > self.distance and int(raw.argmax()) != int(smoothed.argmax())


@dataclass(frozen=True)
class Prediction:
    """What is known of one face's expression; arrays are read-only.

    Attributes:
        raw: float32 ``(K,)`` probabilities of the last frame alone.
        smoothed: The same, smoothed for display.
        chart: The same, smoothed for the timeline.
        label: Index of the class that is shown.
        departed: Media time in seconds since when raw answers contradict the smoothed one; None
            while they agree.
    """

    raw: Vector
    smoothed: Vector
    chart: Vector
    label: int
    departed: float | None = None


@dataclass(frozen=True)
class Smoothing:
    """How a stream's answers are smoothed.

    Attributes:
        probabilities: For the shown probabilities.
        chart: For the timeline, slower.
        reaction: The change detector; None leaves plain exponential smoothing.
        hysteresis: The shown class changes only when another is more probable by so much.
    """

    probabilities: Smoother = Smoother(0.28)
    chart: Smoother = Smoother(0.62)
    reaction: Reaction | None = Reaction()
    hysteresis: float = 0.15

    def begin(self, raw: Vector) -> Prediction:
        """Return the answer of a face's first frame."""
        value = frozen(raw)
        return Prediction(value, value, value, int(value.argmax()))

    def follow(self, old: Prediction, raw: Vector, time: float, elapsed: float) -> Prediction:
        """Return the answer after another frame.

        Args:
            old: The answer so far.
            raw: float32 ``(K,)`` probabilities of the new frame.
            time: Its media time in seconds.
            elapsed: Seconds since the frame before.
        """
        departed, smoother = None, self.probabilities
        if self.reaction and self.reaction.contradict(raw, old.smoothed):
            departed = time if old.departed is None else old.departed
            if time - departed >= self.reaction.confirm and self.reaction.tau < smoother.tau:
                smoother = Smoother(self.reaction.tau)
        smoothed = smoother.step(old.smoothed, raw, elapsed)
        best = int(smoothed.argmax())
        ahead = float(smoothed[best] - smoothed[old.label])
        label = best if ahead > self.hysteresis else old.label
        return Prediction(
            frozen(raw), smoothed, self.chart.step(old.chart, raw, elapsed), label, departed
        )


def frozen(array: NDArray) -> Vector:
    """Return a read-only float32 copy."""
    copy = np.array(array, dtype=np.float32)
    copy.setflags(write=False)
    return copy
