"""The training configuration: its sections and the whole of a run."""

from utils.training.config.sections import (
    AugmentationConfig,
    ExecutionConfig,
    LossConfig,
    NetworkConfig,
    ScheduleConfig,
    TargetConfig,
)
from utils.training.config.train_config import Option, TrainConfig, list_options

__all__ = [
    "AugmentationConfig",
    "ExecutionConfig",
    "LossConfig",
    "NetworkConfig",
    "Option",
    "ScheduleConfig",
    "TargetConfig",
    "TrainConfig",
    "list_options",
]
