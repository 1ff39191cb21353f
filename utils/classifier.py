"""Face crops to calibrated probabilities."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from utils.checkpoint import Checkpoint, load_checkpoint
from utils.devices import pick_device

_MAX_BATCH = 64


class EmotionClassifier:
    """A trained network with its preprocessing and temperature; safe to share between threads.

    Args:
        checkpoint: The model.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        CheckpointError: The weights do not fit the architecture.
        ConfigError: The device is not there.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.model_name = checkpoint.model
        self.classes = checkpoint.classes
        self.threshold = checkpoint.threshold
        self.preprocessing = checkpoint.preprocessing
        self._temperature = checkpoint.temperature
        self._network = checkpoint.build().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, path: Path | str | None = None, device: str = "auto") -> "EmotionClassifier":
        """Read a checkpoint, the bundled one if ``path`` is None.

        Raises:
            CheckpointError: The file is missing, damaged, unsafe or does not fit.
            ConfigError: The device is not there.
        """
        return cls(load_checkpoint(path), device)

    @torch.inference_mode()
    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 probabilities ``(N, K)`` for RGB uint8 crops ``(N, H, W, 3)``.

        Rows sum to 1, columns are in the order of ``classes``; no crops give ``(0, K)``.
        """
        if not len(crops):
            return np.zeros((0, len(self.classes)), np.float32)
        rows = []
        for start in range(0, len(crops), _MAX_BATCH):
            pixels = torch.from_numpy(self.preprocessing(crops[start : start + _MAX_BATCH]))
            logits = self._network(pixels.to(self.device, memory_format=torch.channels_last))
            rows.append((logits.float() / self._temperature).softmax(1).cpu().numpy())
        return np.concatenate(rows)

    def warm_up(self) -> None:
        """Run once, so that the first real picture is not the slow one."""
        side = self.preprocessing.input_size
        self.predict(np.zeros((1, side, side, 3), np.uint8))
