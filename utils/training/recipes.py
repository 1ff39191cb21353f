"""The configuration of a run, from the model's recipe, a YAML file and flags."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from utils.errors import ConfigError, error_boundary
from utils.model.architectures import get_architecture
from utils.paths import RECIPES
from utils.training.config import NetworkConfig, TrainConfig

# What the loader raises on dates, numbers and other tagged values that are none, on lists nested
# too deep, and on bytes that are no text.
_YAML_ERRORS = (ValueError, LookupError, AttributeError, TypeError, RecursionError)


def load_config(
    path: Path | None, overrides: Mapping[str, Any], *, recipes: Path = RECIPES
) -> TrainConfig:
    """Combine the model's recipe, a YAML file and overrides; later ones win.

    A recipe's ``ferplus_weight`` applies only to data with FER+ votes; a file or an override that
    sets it requires votes.

    Args:
        path: YAML file with training options, or None.
        overrides: Option to value, as text or typed.
        recipes: Folder with ``NAME.yaml``, the default recipe of each architecture.

    Raises:
        ConfigError: A file is missing or not a YAML mapping, a key is unknown or a value is
            impossible; the message names it.
    """
    requested = (_read_yaml(path) if path else {}) | dict(overrides)
    model = requested.get("model", NetworkConfig().model)
    get_architecture(str(model))
    recipe = recipes / f"{model}.yaml"
    try:
        config = TrainConfig.from_flat((_read_yaml(recipe) if recipe.is_file() else {}) | requested)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from error
    targets = config.targets
    if targets.benchmark_head and not targets.ferplus_weight and "benchmark_head" in requested:
        raise ConfigError(
            "benchmark_head needs FER+ votes: without ferplus_weight the only head already learns "
            "the folder names"
        )
    votes = "ferplus_weight" in requested or (config.data / "ferplus.csv").is_file()
    if not votes or not targets.ferplus_weight:
        config = config.with_changes(ferplus_weight=0.0, benchmark_head=False)
    return config


def _read_yaml(path: Path) -> dict[str, Any]:
    def invalid(reason: str) -> ConfigError:
        return ConfigError(f"{path}: not valid YAML: {reason}")

    with error_boundary(invalid, known=_YAML_ERRORS):
        try:
            data = yaml.safe_load(path.read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: can't read the configuration: {error.strerror}") from error
        except yaml.YAMLError as error:
            raise invalid(" ".join(str(error).split())) from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected 'key: value' lines, found a {type(data).__name__}")
    return data
