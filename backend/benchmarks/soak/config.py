"""The configuration of the soak test."""

import math
from dataclasses import dataclass
from pathlib import Path

from backend.console.options import check_at_least
from utils.errors import ConfigError

_LEAST_MINUTES = 0.1


@dataclass(frozen=True, kw_only=True)
class BenchmarkSoakConfig:
    """Everything at once, for a long time.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        minutes: How long.
        viewers: Browsers that watch the live page meanwhile.
    """

    model: Path | None = None
    minutes: float = 10.0
    viewers: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        if not _LEAST_MINUTES <= self.minutes < math.inf:
            raise ConfigError(
                f"--soak must be at least {_LEAST_MINUTES} minutes, not {self.minutes}"
            )
        check_at_least(0, viewers=self.viewers)
