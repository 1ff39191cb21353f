"""The configuration of the live page's benchmark."""

import math
from dataclasses import dataclass
from pathlib import Path

from backend.console.options import check_at_least, check_seconds


@dataclass(frozen=True, kw_only=True)
class BenchmarkPageConfig:
    """The live page in a browser.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        seconds: How long to watch it.
        busy: Other processes that keep the processor busy meanwhile.
    """

    model: Path | None = None
    seconds: float = 20.0
    busy: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_seconds(self.seconds, math.inf)
        check_at_least(0, busy=self.busy)
