"""Metrics of a set of predictions, as stored in checkpoints and JSON documents."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Document = dict[str, Any]
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ClassMetrics:
    """How well one class is predicted.

    Attributes:
        precision: Share of the predictions of this class that are right, 0..1.
        recall: Share of the images of this class that are predicted as it, 0..1.
        f1: Harmonic mean of precision and recall.
        support: Number of images with this label.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Bootstrap 95% intervals, each ``(low, high)``.

    Attributes:
        accuracy: Of the accuracy.
        balanced_accuracy: Of the balanced accuracy.
        macro_f1: Of the macro F1.
        ece: Of the expected calibration error.
    """

    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    ece: Interval

    def to_document(self) -> Document:
        """Return plain types; each interval is a list."""
        return {name: list(interval) for name, interval in asdict(self).items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Intervals":
        """Read what ``to_document`` returned."""
        return cls(**{name: (low, high) for name, (low, high) in document.items()})


@dataclass(frozen=True, kw_only=True)
class NearDuplicateMetrics:
    """The effect of test images that have a near-duplicate among the training images.

    Attributes:
        accuracy_without: Accuracy on the other images; None if there are none.
        count: Number of labelled images with a near-duplicate.
    """

    accuracy_without: float | None
    count: int


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Predictions measured against one label set.

    Attributes:
        images: Number of images with a label.
        accuracy: Share of right predictions, 0..1.
        balanced_accuracy: Mean recall over the classes that have images.
        macro_f1: Mean F1 over the classes that have images.
        top2_accuracy: Share of images whose label is among the two most probable classes.
        ece: Expected calibration error, 0..1.
        coverage_80_accuracy: Accuracy on the 80% with the highest confidence.
        per_class: Class name to its metrics, in class order.
        confusion: Counts ``(K, K)``; rows are labels, columns predictions.
        near_duplicates: None if near-duplicates were not searched for.
        intervals: None if not computed.
    """

    images: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    top2_accuracy: float
    ece: float
    coverage_80_accuracy: float
    per_class: dict[str, ClassMetrics]
    confusion: list[list[int]]
    near_duplicates: NearDuplicateMetrics | None = None
    intervals: Intervals | None = None

    def to_document(self) -> Document:
        """Return plain types, as in checkpoints and JSON."""
        document = asdict(self)
        del document["near_duplicates"], document["intervals"]
        if self.near_duplicates is not None:
            document["accuracy_twin_free"] = self.near_duplicates.accuracy_without
            document["twins"] = self.near_duplicates.count
        if self.intervals is not None:
            document["intervals"] = self.intervals.to_document()
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Metrics":
        """Read what ``to_document`` returned.

        Raises:
            KeyError, TypeError: A value is missing.
        """
        values = dict(document)
        near_duplicates = None
        if "twins" in values:
            near_duplicates = NearDuplicateMetrics(
                accuracy_without=values.pop("accuracy_twin_free"), count=values.pop("twins")
            )
        intervals = values.pop("intervals", None)
        classes = values.pop("per_class")
        return cls(
            **values,
            per_class={name: ClassMetrics(**row) for name, row in classes.items()},
            near_duplicates=near_duplicates,
            intervals=None if intervals is None else Intervals.from_document(intervals),
        )
