"""Face crops to calibrated probabilities."""

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from utils.checkpoint import Checkpoint, load_checkpoint
from utils.devices import pick_device
from utils.model_spec import ModelSpec
from utils.preprocessing import Preprocessing

_MAX_BATCH = 64


class Runtime(Protocol):
    """Something that runs a network."""

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        ...


class TorchRuntime:
    """Runs a checkpoint's network with PyTorch.

    Raises:
        CheckpointError: The weights do not fit the architecture.
        ConfigError: The device is not there.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto") -> None:
        self.device = pick_device(device)
        self._network = checkpoint.build().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        batch = torch.from_numpy(pixels).to(self.device, memory_format=torch.channels_last)
        return self._network(batch).float().cpu().numpy()


class EmotionClassifier:
    """A trained network with its preprocessing and calibration; safe to share between threads.

    Args:
        spec: How the model must be used.
        runtime: Runs its network.
        head: Which of the model's answers to give, the default one if None.

    Raises:
        ConfigError: The model has no such head.
    """

    def __init__(self, spec: ModelSpec, runtime: Runtime, head: str | None = None) -> None:
        self.spec = spec
        self.head = spec.head(head)
        self._runtime = runtime
        self._columns = spec.head_columns(self.head)

    @classmethod
    def load(
        cls, path: Path | str | None = None, device: str = "auto", head: str | None = None
    ) -> "EmotionClassifier":
        """Read a checkpoint, the bundled one if ``path`` is None.

        Raises:
            CheckpointError: The file is missing, damaged, unsafe or does not fit.
            ConfigError: The device or the head is not there.
        """
        checkpoint = load_checkpoint(path)
        return cls(checkpoint, TorchRuntime(checkpoint, device), head)

    @property
    def model_name(self) -> str:
        """Name of the architecture that answers."""
        return self.spec.model

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        return self.spec.classes

    @property
    def preprocessing(self) -> Preprocessing:
        """How crops become network input."""
        return self.spec.preprocessing

    @property
    def threshold(self) -> float:
        """Answers less probable than this are uncertain."""
        return self.head.threshold

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 probabilities ``(N, K)`` for RGB uint8 crops ``(N, H, W, 3)``.

        Rows sum to 1, columns are in the order of ``classes``; no crops give ``(0, K)``.
        """
        if not len(crops):
            return np.zeros((0, len(self.classes)), np.float32)
        rows = []
        for start in range(0, len(crops), _MAX_BATCH):
            pixels = self.preprocessing(crops[start : start + _MAX_BATCH])
            rows.append(self.head.probabilities(self._runtime(pixels)[:, self._columns]))
        return np.concatenate(rows)

    def warm_up(self) -> None:
        """Run once, so that the first real picture is not the slow one."""
        side = self.preprocessing.input_size
        self.predict(np.zeros((1, side, side, 3), np.uint8))
