"""Training: configuration, targets, losses, optimisation, the loop and its report.

The names below are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.training.config import TrainConfig
    from utils.training.data import load_data
    from utils.training.history import TrainingHistory
    from utils.training.recipes import load_config
    from utils.training.report import finish
    from utils.training.trainer import Trainer

__all__ = ["TrainConfig", "Trainer", "TrainingHistory", "finish", "load_config", "load_data"]

_MODULES = {
    "TrainConfig": "utils.training.config",
    "Trainer": "utils.training.trainer",
    "TrainingHistory": "utils.training.history",
    "finish": "utils.training.report",
    "load_config": "utils.training.recipes",
    "load_data": "utils.training.data",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
