"""What a trained model is and how it must be used, whichever runtime holds its weights."""

from collections.abc import Container
from dataclasses import asdict, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from utils.errors import CheckpointError, ConfigError
from utils.model.preprocessing import Preprocessing
from utils.validation import Number, explain_problems

# Wider or deeper networks than any face needs; a file must not decide how much memory it takes.
_MAX_ARGUMENT = 4096


def _check_sizes(value: JsonValue) -> JsonValue:
    """Refuse an argument of an architecture that no network of this project can have."""
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _check_sizes(item)
    elif isinstance(value, (int, float)) and not abs(value) <= _MAX_ARGUMENT:
        raise ValueError(f"numbers must be between -{_MAX_ARGUMENT} and {_MAX_ARGUMENT}")
    return value


# Names become columns of tables and of the database, heads' names parts of file names too.
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
HeadName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w -]*$")]
Share = Annotated[Number, Field(ge=0, le=1)]
# Checked as JSON; its readers know which keys and types it has.
Plain = Annotated[Any, GetPydanticSchema(lambda _, handler: handler(JsonValue))]
Argument = Annotated[Plain, AfterValidator(_check_sizes)]


class LabelSet(str, Enum):
    """Labels that predictions can be measured against.

    The values are the keys in checkpoints and JSON documents.

    Attributes:
        FOLDER: The folder names of the dataset.
        FERPLUS: The majority of the FER+ votes.
    """

    FOLDER = "folder"
    FERPLUS = "ferplus"

    @property
    def display_name(self) -> str:
        """Name in reports and tables."""
        return "FER+ majority" if self is LabelSet.FERPLUS else "folder labels"


class HeadRole(str, Enum):
    """What a head was trained to predict; the values are the heads' names in checkpoints.

    Attributes:
        PERCEIVED: The expression that the crowd of FER+ perceived.
        FER2013: The labels of FER2013 itself, in a network that has a ``PERCEIVED`` head too.
        LABELS: The folder names of any dataset.
    """

    PERCEIVED = "perceived"
    FER2013 = "fer2013"
    LABELS = "labels"

    @classmethod
    def of(cls, name: str) -> "HeadRole":
        """Return the role of a head by its name; a head of any other name predicts ``LABELS``."""
        return cls(name) if name in {role.value for role in cls} else cls.LABELS

    def target_label_set(self, available: Container[str]) -> LabelSet:
        """Return the label set that a head of this role was trained to predict.

        Args:
            available: Label sets to choose from; without FER+ a ``PERCEIVED`` head is measured
                against the folder names like the others.
        """
        if self is HeadRole.PERCEIVED and LabelSet.FERPLUS in available:
            return LabelSet.FERPLUS
        return LabelSet.FOLDER


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Head:
    """One prediction of a network: ``K`` of its outputs and how they become probabilities.

    Attributes:
        name: ``perceived`` was trained on FER+ votes, ``fer2013`` on the labels of FER2013 in the
            same network, ``labels`` on folder names alone.
        label_set: What it was trained to predict, in words.
        temperature: Divides the logits before softmax, 0.001 to 1000; fitted on validation data.
        threshold: Predictions less probable than this are "uncertain"; chosen on validation data.
        prior: Mean of the training targets, ``K`` shares.
        prior_correction: Strength of the class-prior correction, 0 is none, 1 is full.

    Raises:
        ValueError: A value is of the wrong type or outside its range.
    """

    name: HeadName = "labels"
    label_set: Label = "folder names"
    temperature: Annotated[Number, Field(ge=1e-3, le=1e3)] = 1.0
    threshold: Share = 0.0
    prior: tuple[Share, ...] = ()
    prior_correction: Share = 0.0

    @property
    def role(self) -> HeadRole:
        """What the head was trained to predict."""
        return HeadRole.of(self.name)

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated probabilities ``(N, K)`` of this head's logits ``(N, K)``.

        A class that was frequent in training is predicted too often elsewhere; the correction
        divides each probability by its prior to the power of ``prior_correction`` (logit
        adjustment, Menon et al., 2021, https://arxiv.org/abs/2007.07314).
        """
        values = logits.astype(np.float32) / np.float32(self.temperature)
        if self.prior_correction and self.prior:
            # A class without training images has no prior to divide by.
            smallest = np.finfo(np.float32).tiny
            prior = np.array([p if p >= smallest else 1.0 for p in self.prior], np.float32)
            values = values - self.prior_correction * np.log(prior)
        values = np.exp(values - values.max(1, keepdims=True))
        result: NDArray[np.float32] = values / values.sum(1, keepdims=True)
        return result


@dataclass(kw_only=True)
class ModelSpec:
    """Everything about a model except its weights.

    This is the one schema of the metadata in checkpoints and ONNX files: an instance is valid,
    whether it was trained here or read from a file.

    Attributes:
        model: Architecture name in the registry.
        model_args: Arguments of the architecture.
        classes: The K class names in output order.
        preprocessing: Crop geometry, input size, colour, mean and standard deviation.
        heads: The H heads, the default first; the network's outputs are ``(N, H * K)``.
        training: The training configuration.
        data: Fingerprint and counts of the training data.
        metrics: Split name to its metrics.
        versions: Library versions of the training run.
        revision: Code revision of the training run; None outside a repository.

    Raises:
        ValueError: A value is of the wrong type, outside its range or does not fit the others.
    """

    model: Label
    model_args: dict[str, Argument]
    classes: Annotated[tuple[Label, ...], Field(min_length=1)]
    preprocessing: Preprocessing
    heads: Annotated[tuple[Head, ...], Field(min_length=1)] = (Head(),)
    training: dict[str, Plain] = field(default_factory=dict)
    data: dict[str, Plain] = field(default_factory=dict)
    metrics: dict[str, Plain] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    revision: str | None = None

    @model_validator(mode="after")
    def _fit_together(self) -> "ModelSpec":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes must have unique names, not {', '.join(self.classes)}")
        if len({head.name for head in self.heads}) < len(self.heads):
            raise ValueError("heads must have unique names")
        if any(head.prior and len(head.prior) != len(self.classes) for head in self.heads):
            raise ValueError("a head's prior must have one share for each class")
        return self

    def head(self, name: str | None = None) -> Head:
        """Return a head by name; None is the default.

        Raises:
            ConfigError: The model has no such head.
        """
        if name is None:
            return self.heads[0]
        for head in self.heads:
            if head.name == name:
                return head
        known = ", ".join(head.name for head in self.heads)
        raise ConfigError(f"the model has no head {name!r}; its heads: {known}")

    def head_for(self, label_set: LabelSet) -> Head:
        """Return the first head that was trained to predict a label set, or the default head."""
        for head in self.heads:
            if head.role.target_label_set(tuple(LabelSet)) == label_set:
                return head
        return self.heads[0]

    def head_columns(self, head: Head) -> slice:
        """Return the columns of the network's output that belong to a head."""
        first = self.heads.index(head) * len(self.classes)
        return slice(first, first + len(self.classes))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, for a checkpoint or as JSON."""
        plain = {name: getattr(self, name) for name in ModelSpec.__dataclass_fields__}
        heads = [asdict(head) | {"prior": list(head.prior)} for head in self.heads]
        return plain | {
            "classes": list(self.classes),
            "preprocessing": self.preprocessing.to_dict(),
            "heads": heads,
        }


AnySpec = TypeVar("AnySpec", bound=ModelSpec)


def read_spec(kind: type[AnySpec], content: object, *, path: Path) -> AnySpec:
    """Build a model's description from the plain types of a file.

    Args:
        kind: What to build: ``ModelSpec`` or a class derived from it.
        content: What ``ModelSpec.to_dict`` returned, with the further values of ``kind``.
        path: Names the file in errors.

    Raises:
        CheckpointError: A value is missing or impossible.
    """
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: its metadata is wrong: it must be a mapping")
    names = list(kind.__dataclass_fields__)
    if missing := [name for name in names if name not in content]:
        raise CheckpointError(f"{path}: its metadata is incomplete: {', '.join(missing)} missing")
    try:
        return kind(**{name: content[name] for name in names})
    except ValidationError as error:
        raise CheckpointError(
            f"{path}: its metadata is wrong: {explain_problems(error)}"
        ) from error
