"""What a trained model is and how it must be used, whichever runtime holds its weights."""

import math
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from utils.errors import ConfigError
from utils.model.preprocessing import Preprocessing


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


@dataclass(frozen=True)
class Head:
    """One prediction of a network: ``K`` of its outputs and how they become probabilities.

    Attributes:
        name: ``perceived`` was trained on FER+ votes, ``fer2013`` on the labels of FER2013 in the
            same network, ``labels`` on folder names alone.
        label_set: What it was trained to predict, in words.
        temperature: Divides the logits before softmax; fitted on validation data.
        threshold: Predictions less probable than this are "uncertain"; chosen on validation data.
        prior: Mean of the training targets, ``K`` shares.
        prior_correction: Strength of the class-prior correction, 0 is none, 1 is full.
    """

    name: str = "labels"
    label_set: str = "folder names"
    temperature: float = 1.0
    threshold: float = 0.0
    prior: tuple[float, ...] = ()
    prior_correction: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be positive, not {self.temperature}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must be 0 to 1, not {self.threshold}")
        if not 0 <= self.prior_correction <= 1:
            raise ValueError(f"prior_correction must be 0 to 1, not {self.prior_correction}")
        if not all(0 <= p <= 1 for p in self.prior):
            raise ValueError(f"prior must be shares between 0 and 1, not {self.prior}")

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
            prior = np.array([p or 1.0 for p in self.prior], np.float32)
            values = values - self.prior_correction * np.log(prior)
        values = np.exp(values - values.max(1, keepdims=True))
        result: NDArray[np.float32] = values / values.sum(1, keepdims=True)
        return result


@dataclass(kw_only=True)
class ModelSpec:
    """Everything about a model except its weights.

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
    """

    model: str
    model_args: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    heads: tuple[Head, ...] = (Head(),)
    training: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    revision: str | None = None

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

    @classmethod
    def values_from_dict(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        """Check the plain types of ``to_dict`` and return the constructor's arguments.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: A value is missing or impossible.
        """
        values = {name: content[name] for name in ModelSpec.__dataclass_fields__}
        classes = tuple(content["classes"])
        if not classes or len(set(classes)) < len(classes):
            raise ValueError(f"there must be classes, with unique names, not {classes}")
        if not isinstance(content["model_args"], dict):
            kind = type(content["model_args"]).__name__
            raise TypeError(f"model_args must be a mapping, not {kind}")
        heads = tuple(Head(**{**head, "prior": tuple(head["prior"])}) for head in content["heads"])
        if not heads or len({head.name for head in heads}) < len(heads):
            raise ValueError("there must be heads, with unique names")
        if any(head.prior and len(head.prior) != len(classes) for head in heads):
            raise ValueError("a head's prior must have one share for each class")
        preprocessing = Preprocessing.from_dict(content["preprocessing"])
        return values | {"classes": classes, "heads": heads, "preprocessing": preprocessing}
