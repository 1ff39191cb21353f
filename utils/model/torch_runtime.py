"""Checkpoints run by PyTorch."""

import numpy as np
import torch
from numpy.typing import NDArray

from utils.devices import pick_device
from utils.model.checkpoint import Checkpoint


class TorchRuntime:
    """Runs a checkpoint's network with PyTorch; safe to share between threads.

    Args:
        checkpoint: The model.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

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
        logits: NDArray[np.float32] = self._network(batch).float().cpu().numpy()
        return logits
