"""Detects networks that end in global average pooling and one linear layer.

These are the networks that class activation maps explain; the maps themselves are computed without
torch, by ``utils/model/heat_maps.py``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from utils.model.checkpoint import Checkpoint

_TOLERANCE = 1e-4
_IMAGES = 3


@dataclass(frozen=True)
class PooledLinear:
    """How a network ends whose logits are ``features.mean((2, 3)) @ weights.T + bias``.

    Attributes:
        module: Path of the module that returns the last feature map.
        shape: ``(C, h, w)`` of that feature map.
        weights: The linear layer's float32 ``(H * K, C)``.
    """

    module: str
    shape: tuple[int, int, int]
    weights: NDArray[np.float32]


@dataclass
class _Calls:
    """What the modules of a network returned in one forward pass.

    Attributes:
        maps: Module path and feature map ``(N, C, h, w)``, in order of execution.
        linear: Linear layer, input and output, in order of execution.
    """

    maps: list[tuple[str, Tensor]] = field(default_factory=list)
    linear: list[tuple[nn.Linear, Tensor, Tensor]] = field(default_factory=list)


@torch.no_grad()
def find_pooled_linear(checkpoint: Checkpoint) -> PooledLinear | None:
    """Return how a model's network ends if class activation maps can explain it, else None.

    Nothing is concluded from names: the network runs on random images, and the logits must equal
    the linear layer of the mean of a module's output.

    Raises:
        CheckpointError: The weights do not fit the architecture.
    """
    network, preprocessing = checkpoint.build(), checkpoint.preprocessing
    side = preprocessing.input_size
    shape = (_IMAGES, preprocessing.channels, side, side)
    with _recorded(network) as calls:
        logits = network(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    if not calls.linear:
        return None
    layer, pooled, output = calls.linear[-1]
    if output.shape != logits.shape or not _equal(output, logits):
        return None
    for name, features in reversed(calls.maps):
        # Several modules may return the same tensor; the last one to run is the outermost. What has
        # one place is the pooled vector itself.
        fits = features.shape[1:2] == pooled.shape[1:] and features[0, 0].numel() > 1
        if fits and _equal(features.mean((2, 3)), pooled):
            _, channels, height, width = features.shape
            weights = layer.weight.detach().float().cpu().numpy()
            return PooledLinear(name, (channels, height, width), weights)
    return None


@contextmanager
def _recorded(network: nn.Module) -> Iterator[_Calls]:
    """Record the calls of all modules; tensors are kept as they are, in-place changes included."""
    calls = _Calls()

    def hook_for(name: str) -> "torch.utils.hooks.RemovableHandle":
        def record(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                calls.maps.append((name, output))
            if isinstance(module, nn.Linear) and isinstance(output, Tensor):
                calls.linear.append((module, inputs[0], output))  # type: ignore[arg-type]

        return network.get_submodule(name).register_forward_hook(record)

    hooks = [hook_for(name) for name, _ in network.named_modules()]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def _equal(a: Tensor, b: Tensor) -> bool:
    """Compare relative to the largest value: an absolute limit would let small tensors pass."""
    return bool((a - b).abs().max() <= _TOLERANCE * b.abs().max())
