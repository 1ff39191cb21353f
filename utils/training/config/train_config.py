"""The training configuration: one validated description of a run.

In Python the options are grouped by subject (``config.network``, ``config.schedule``, …). In files,
flags and checkpoints they are one flat list of keys: ``TrainConfig.from_flat`` and
``TrainConfig.to_document`` translate.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo

from utils.errors import ConfigError
from utils.training.config.sections import (
    AugmentationConfig,
    ExecutionConfig,
    LossConfig,
    NetworkConfig,
    ScheduleConfig,
    Section,
    TargetConfig,
)

# Keys of run folders and recipes that earlier versions wrote.
_FORMER_KEYS = {"init": "pretrained"}


class TrainConfig(Section):
    """Everything that determines a training run; saved in its checkpoint."""

    data: Path = Field(
        default=Path("images"), description="folder with train/ and validation/ ImageFolders"
    )
    network: NetworkConfig = NetworkConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    loss: LossConfig = LossConfig()
    targets: TargetConfig = TargetConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    execution: ExecutionConfig = ExecutionConfig()
    calibration_mixture: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the validation faces that are corrupted where confidence is "
        "calibrated, for honest confidence on other pictures",
    )
    out: Path | None = Field(default=None, description="run folder (default: runs/MODEL-TIME)")

    @classmethod
    def from_flat(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """Build a configuration from flat keys.

        Args:
            values: Option to value, as text or typed; missing ones keep their default.

        Raises:
            ConfigError: A key is unknown or a value is impossible; the message names it.
        """
        options = {option.key: option for option in list_options()}
        nested: dict[str, Any] = {}
        for name, value in values.items():
            key = _FORMER_KEYS.get(name, name)
            if key not in options:
                raise ConfigError(f"unknown key {key!r}; known keys: {', '.join(options)}")
            section = options[key].section
            if section is None:
                nested[key] = value
            else:
                nested.setdefault(section, {})[key] = value
        try:
            return cls.model_validate(nested)
        except ValidationError as error:
            raise ConfigError("; ".join(map(_explain, error.errors()))) from error

    def to_document(self) -> dict[str, Any]:
        """Return flat keys with plain values, for ``config.yaml`` and the checkpoint."""
        nested = self.model_dump(mode="json", by_alias=True)
        return {
            option.key: nested[option.key]
            if option.section is None
            else nested[option.section][option.key]
            for option in list_options()
        }

    def with_changes(self, **changes: Any) -> "TrainConfig":
        """Return a copy with other values, by flat key.

        Raises:
            ConfigError: A key is unknown or a value is impossible.
        """
        return TrainConfig.from_flat(self.to_document() | changes)


class Option(NamedTuple):
    """A training option as files and flags name it.

    Attributes:
        key: Its flat key.
        section: The field of ``TrainConfig`` it belongs to; None for a field of its own.
        field: Its type, default and description.
    """

    key: str
    section: str | None
    field: FieldInfo


def list_options() -> Iterator[Option]:
    """Yield every training option, in the order of configuration files."""
    for name, field in TrainConfig.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for inner, inner_field in kind.model_fields.items():
                yield Option(inner_field.alias or inner, name, inner_field)
        else:
            yield Option(name, None, field)


def _explain(error: Any) -> str:
    first, *rest = map(str, error["loc"])
    sections = {option.section for option in list_options()}
    key = ".".join(rest if rest and first in sections else [first, *rest])
    return f"{key} = {error['input']!r}: {error['msg'].lower()}"
