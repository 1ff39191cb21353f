"""What each epoch of a run measured, and which epoch is kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class EpochResult:
    """The figures of one epoch.

    Attributes:
        epoch: Its number, counted from 1.
        lr: Learning rate at its start.
        train_loss: Mean loss of its batches.
        train_accuracy: Mean accuracy of its augmented and mixed batches, 0..1.
        validation_loss: Cross-entropy on the validation split.
        validation_accuracy: Accuracy on the validation split, 0..1; it chooses the epoch.
        seconds: Time of the training batches, without validation.
        images_per_second: Training images per second.
    """

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float
    images_per_second: float


@dataclass
class TrainingHistory:
    """The state of a run.

    Attributes:
        epochs: The finished epochs.
        best_accuracy: Validation accuracy of the epoch whose weights are kept, 0..1; -1 before the
            first.
        best_epoch: Number of that epoch, counted from 1; 0 before the first.
    """

    epochs: list[EpochResult] = field(default_factory=list)
    best_accuracy: float = -1.0
    best_epoch: int = 0

    def add(self, result: EpochResult, *, keep: bool) -> None:
        """Append an epoch.

        Args:
            result: Its figures.
            keep: Whether its weights are kept as the best.
        """
        self.epochs.append(result)
        if keep:
            self.best_accuracy, self.best_epoch = result.validation_accuracy, result.epoch

    def rows(self) -> list[dict[str, float]]:
        """Return the epochs as plain rows, the columns of ``history.csv``."""
        return [asdict(result) for result in self.epochs]

    def images_per_second(self) -> float:
        """Return the mean speed of the epochs; there must be at least one."""
        return sum(result.images_per_second for result in self.epochs) / len(self.epochs)

    def to_document(self) -> dict[str, Any]:
        """Return plain types for ``last.pth``."""
        return {
            "history": self.rows(),
            "best": self.best_accuracy,
            "best_epoch": self.best_epoch,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "TrainingHistory":
        """Rebuild from ``to_document``.

        Raises:
            KeyError, TypeError: The document is incomplete or has other columns.
        """
        epochs = [EpochResult(**row) for row in document["history"]]
        return cls(epochs, document["best"], document["best_epoch"])
