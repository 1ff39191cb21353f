"""A model measured on a labelled split, and on whole photos."""

from dataclasses import asdict, dataclass

from utils.evaluation.results.metrics import Document, Metrics
from utils.evaluation.results.tables import PriorRow, RobustnessResult, ScalingRow
from utils.model.spec import Head, LabelSet


@dataclass(frozen=True, kw_only=True)
class ClassRecall:
    """How many photos of one class are recognised.

    Attributes:
        recall: Share of the photos predicted as their class, 0..1.
        support: Number of photos.
    """

    recall: float
    support: int


@dataclass(frozen=True, kw_only=True)
class EndToEndResult:
    """A detector and a model measured together on whole photos.

    Attributes:
        model: Architecture.
        head: Name of the head that predicts.
        detector: Name of the face detector.
        prior_correction: Strength of the head's class-prior correction.
        photos: The folder.
        unreadable: A sentence for each photo that can't be decoded; they are left out.
        images: Number of photos measured.
        accuracy: Share of right predictions; a photo without a detected face counts as wrong.
        balanced_accuracy: Mean recall over the classes.
        no_face: Share of photos without a detected face.
        per_class: Class name to its recall, for the classes that have photos.
        confusion: Label to prediction, or ``no_face``, to the number of photos.
    """

    model: str
    head: str
    detector: str
    prior_correction: float
    photos: str
    unreadable: list[str]
    images: int
    accuracy: float
    balanced_accuracy: float
    no_face: float
    per_class: dict[str, ClassRecall]
    confusion: dict[str, dict[str, int]]

    def to_document(self) -> Document:
        """Return plain types for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """One head of a model measured on one split, with what else was asked for.

    Attributes:
        model: Architecture.
        head: The head, with its calibration.
        split: ``train``, ``validation`` or ``test``.
        label_sets: The head's metrics against each label set, with intervals.
        ferplus_accuracy: Accuracy of the model's first head against the FER+ majority; None
            without votes.
        fer2013_accuracy: Accuracy of the model's last head against the folder labels.
        label_agreement: Share of images on which both label sets agree; None without votes.
        prior_table: The head at every strength of its prior correction.
        scaling_table: Temperature scaling and vector scaling.
        robustness: The head on corrupted images.
        end_to_end: The head on whole photos.
    """

    model: str
    head: Head
    split: str
    label_sets: dict[LabelSet, Metrics]
    ferplus_accuracy: float | None
    fer2013_accuracy: float
    label_agreement: float | None
    prior_table: tuple[PriorRow, ...] | None = None
    scaling_table: tuple[ScalingRow, ...] | None = None
    robustness: RobustnessResult | None = None
    end_to_end: EndToEndResult | None = None

    @property
    def label_set(self) -> LabelSet:
        """The label set that the head was trained to predict."""
        return self.head.role.target_label_set(self.label_sets)

    @property
    def metrics(self) -> Metrics:
        """The head's metrics against that label set."""
        return self.label_sets[self.label_set]

    def to_document(self) -> Document:
        """Return plain types, the contents of ``evaluate.py --json``.

        The metrics at the top level are those against ``label_set``.
        """
        document: Document = {
            "model": self.model,
            "head": self.head.name,
            "trained_on": self.head.label_set,
            "split": self.split,
            "label_set": self.label_set.display_name,
            "temperature": self.head.temperature,
            "threshold": self.head.threshold,
            "prior_correction": self.head.prior_correction,
            **self.metrics.to_document(),
            "ferplus_accuracy": self.ferplus_accuracy,
            "fer2013_accuracy": self.fer2013_accuracy,
            "label_agreement": self.label_agreement,
            "label_sets": {k.value: m.to_document() for k, m in self.label_sets.items()},
        }
        return document | self._tables()

    def _tables(self) -> Document:
        tables: Document = {}
        if self.prior_table is not None:
            tables["prior_table"] = [asdict(row) for row in self.prior_table]
        if self.scaling_table is not None:
            tables["scaling_table"] = [row.to_document() for row in self.scaling_table]
        if self.robustness is not None:
            tables |= self.robustness.to_document()
        if self.end_to_end is not None:
            tables["end_to_end"] = self.end_to_end.to_document()
        return tables
