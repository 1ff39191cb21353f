"""Whether one model is better than another, or only luckier."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two models' answers on the same images, by McNemar's exact test.

    McNemar, 1947, "Note on the sampling error of the difference between correlated proportions or
    percentages".

    Attributes:
        images: Images with a label.
        accuracy_a: Accuracy of the first model.
        accuracy_b: Accuracy of the second.
        only_a: Images that only the first answers rightly.
        only_b: Images that only the second answers rightly.
        p_value: Probability of so uneven a split of those images by chance.
    """

    images: int
    accuracy_a: float
    accuracy_b: float
    only_a: int
    only_b: int
    p_value: float

    def sentence(self, a: str, b: str) -> str:
        """Say the outcome in words, with names for the models."""
        if self.p_value >= SIGNIFICANT:
            return (
                f"no significant difference between {a} ({self.accuracy_a:.2%}) and {b} "
                f"({self.accuracy_b:.2%}) on {self.images} images (McNemar p = {self.p_value:.3g})"
            )
        if self.accuracy_b > self.accuracy_a:
            better, worse, high, low = b, a, self.accuracy_b, self.accuracy_a
        else:
            better, worse, high, low = a, b, self.accuracy_a, self.accuracy_b
        return (
            f"{better} ({high:.2%}) is significantly better than {worse} ({low:.2%}) on "
            f"{self.images} images (McNemar p = {self.p_value:.3g})"
        )


def compare_predictions(
    a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]
) -> Comparison:
    """Compare two models' answers ``(N,)`` with labels ``(N,)``; negative labels are left out."""
    kept = labels >= 0
    right_a, right_b = (a == labels)[kept], (b == labels)[kept]
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    split = only_a + only_b
    return Comparison(
        images=int(kept.sum()),
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        only_a=only_a,
        only_b=only_b,
        p_value=float(binomtest(only_a, split).pvalue) if split else 1.0,
    )
