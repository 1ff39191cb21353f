"""Rows of the tables that an evaluation adds on request."""

from dataclasses import asdict, dataclass

from utils.evaluation.results.metrics import Document
from utils.model.spec import LabelSet


@dataclass(frozen=True, kw_only=True)
class PriorRow:
    """The metrics of a head at one strength of its class-prior correction.

    Attributes:
        prior_correction: The strength, 0..1.
        accuracy: Share of right predictions.
        balanced_accuracy: Mean recall over the classes.
        macro_f1: Mean F1 over the classes.
    """

    prior_correction: float
    accuracy: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True, kw_only=True)
class ScalingMetrics:
    """A calibration method measured on one split.

    Attributes:
        accuracy: Share of right predictions.
        nll: Negative log-likelihood.
        ece: Expected calibration error.
    """

    accuracy: float
    nll: float
    ece: float


@dataclass(frozen=True, kw_only=True)
class ScalingRow:
    """A calibration method.

    Attributes:
        scaling: ``temperature`` or ``vector``.
        validation: Cross-validated on the validation split.
        test: Fitted on the validation split, measured on the other.
        label_set: The labels that it was fitted and measured on.
    """

    scaling: str
    validation: ScalingMetrics
    test: ScalingMetrics
    label_set: LabelSet

    def to_document(self) -> Document:
        """Return plain types for JSON."""
        return asdict(self) | {"label_set": self.label_set.display_name}


@dataclass(frozen=True, kw_only=True)
class RobustnessRow:
    """The effect of one corruption.

    Attributes:
        name: Of the corruption.
        accuracy: Accuracy on the corrupted images, 0..1.
        drop: Accuracy lost, 0..1.
    """

    name: str
    accuracy: float
    drop: float


@dataclass(frozen=True, kw_only=True)
class RobustnessResult:
    """The effect of every corruption.

    Attributes:
        rows: One for each corruption, in the order of ``CORRUPTIONS``.
    """

    rows: tuple[RobustnessRow, ...]

    @property
    def mean_drop(self) -> float:
        """Accuracy lost on average, 0..1."""
        return sum(row.drop for row in self.rows) / len(self.rows)

    def to_document(self) -> Document:
        """Return plain types for JSON."""
        return {
            "robustness": [asdict(row) for row in self.rows],
            "robustness_mean_drop": self.mean_drop,
        }
