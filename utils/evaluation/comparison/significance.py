"""Whether one model is significantly better than another."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from utils.evaluation.split import LabelledSplit
from utils.model.checkpoint import Checkpoint
from utils.model.spec import LabelSet

SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models' predictions on the same images, by McNemar's exact test.

    McNemar, 1947, "Note on the sampling error of the difference between correlated proportions or
    percentages".

    Attributes:
        images: Images with a label.
        accuracy_a: Accuracy of the first model.
        accuracy_b: Accuracy of the second.
        only_a: Images that only the first predicts rightly.
        only_b: Images that only the second predicts rightly.
        p_value: Probability of so uneven a split of those images by chance.
    """

    images: int
    accuracy_a: float
    accuracy_b: float
    only_a: int
    only_b: int
    p_value: float

    def sentence(self, a: str, b: str) -> str:
        """Return the outcome as a sentence, with names for the models."""
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

    def to_document(self, a: str, b: str) -> dict[str, Any]:
        """Return plain types for JSON, with the sentence about models of these names."""
        return asdict(self) | {"sentence": self.sentence(a, b)}


def compare_models(
    a: Checkpoint, b: Checkpoint, *, split: LabelledSplit, head: str | None = None
) -> dict[LabelSet, Comparison]:
    """Compare two models against each label set of a split.

    Args:
        a: The first model.
        b: The second.
        split: The images.
        head: Name of the head that predicts; None takes each model's head for the label set, or
            its default head if it has none.

    Raises:
        ConfigError: A model has no such head.
        DataError: The split can't be used, or has other classes than a model.
    """
    models = (a, b)
    predictions = [split.predict(model) for model in models]
    comparisons = {}
    for label_set, labels in predictions[0].labels.items():
        heads = [model.head(head) if head else model.head_for(label_set) for model in models]
        predicted_a, predicted_b = (
            p.probabilities[h.name].argmax(1) for p, h in zip(predictions, heads, strict=True)
        )
        comparisons[label_set] = compare_predictions(predicted_a, predicted_b, labels=labels)
    return comparisons


def compare_predictions(
    a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]], *, labels: NDArray[np.integer[Any]]
) -> Comparison:
    """Compare two models' predictions.

    Args:
        a: Class indices ``(N,)`` that the first model predicts.
        b: Those of the second.
        labels: ``(N,)`` class indices; images with a negative label are left out.
    """
    kept = labels >= 0
    right_a, right_b = (a == labels)[kept], (b == labels)[kept]
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    divided = only_a + only_b
    return Comparison(
        images=int(kept.sum()),
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        only_a=only_a,
        only_b=only_b,
        p_value=float(binomtest(only_a, divided).pvalue) if divided else 1.0,
    )
