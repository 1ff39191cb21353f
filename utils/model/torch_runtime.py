"""Checkpoints run by PyTorch."""

import threading

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from utils.devices import pick_device
from utils.model.checkpoint import Checkpoint
from utils.model.class_activation import PooledLinear, find_pooled_linear


class TorchRuntime:
    """Runs a checkpoint's network with PyTorch; safe to share between threads.

    Args:
        checkpoint: The model.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        CheckpointError: The weights do not fit the architecture.
        ConfigError: The device is not available.
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "auto") -> None:
        self.device = pick_device(device)
        self._checkpoint = checkpoint
        self._network: nn.Module = checkpoint.build().to(
            self.device,
            memory_format=torch.channels_last,
        )  # type: ignore[call-overload]
        self._lock = threading.Lock()
        self._ending: tuple[PooledLinear | None] | None = None
        self._features = threading.local()

    @torch.inference_mode()
    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        batch = torch.from_numpy(pixels).to(self.device, memory_format=torch.channels_last)
        return _to_numpy(self._network(batch))

    @property
    def class_weights(self) -> NDArray[np.float32] | None:
        """float32 ``(H * K, C)``, the last layer's weights on the pooled feature map.

        None if the network does not end in global average pooling and one linear layer. The first
        access takes as long as building the network.
        """
        with self._lock:
            if self._ending is None:
                self._ending = (find_pooled_linear(self._checkpoint),)
                if self._ending[0]:
                    module = self._network.get_submodule(self._ending[0].module)
                    module.register_forward_hook(self._keep_features)
            (ending,) = self._ending
        return ending.weights if ending else None

    def run_with_features(
        self, pixels: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return raw logits ``(N, H * K)`` and the last feature map ``(N, C, h, w)``, both float32.

        Only for a network that has ``class_weights``.
        """
        logits = self(pixels)
        return logits, _to_numpy(self._features.newest)

    def _keep_features(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep the feature map for the thread that runs the network, out of reach of others."""
        self._features.newest = output


def _to_numpy(values: Tensor) -> NDArray[np.float32]:
    return np.asarray(values.float().cpu().numpy())
