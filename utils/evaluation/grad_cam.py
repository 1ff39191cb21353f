"""The regions of a face that a prediction depends on: class activation and attention maps.

The maps come from pytorch-grad-cam (https://github.com/jacobgil/pytorch-grad-cam).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from utils.errors import ConfigError
from utils.model.architectures.layers.attention import SpatialAttention
from utils.model.checkpoint import Checkpoint

METHODS = ("gradcam", "gradcam++", "eigencam")
_BATCH = 64


@dataclass(frozen=True)
class Explanation:
    """The influence of each region of N faces on the scores of their target classes.

    Attributes:
        layers: The L layers whose feature maps are weighted.
        maps: float32 ``(N, L, S, S)`` in 0..1; 1 is the greatest influence.
        targets: int64 ``(N,)``, the class index that is explained.
        probabilities: Calibrated float32 ``(N, K)``.
        attention: float32 ``(N, A, S, S)`` in 0..1, the maps of the network's A spatial attention
            modules; most architectures have none.
    """

    layers: tuple[str, ...]
    maps: NDArray[np.float32]
    targets: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    attention: NDArray[np.float32]


class Explainer:
    """Explains a model's predictions. Not safe to share between threads: it holds one network.

    Grad-CAM after Selvaraju et al., 2017 (https://arxiv.org/abs/1610.02391), Grad-CAM++ after
    Chattopadhay et al., 2018 (https://arxiv.org/abs/1710.11063), Eigen-CAM, which ignores the
    class, after Muhammad and Yeasin, 2020 (https://arxiv.org/abs/2008.00299).

    Args:
        checkpoint: The model.
        head: Name of the head to explain; None is the default.
        layers: Module paths in the network; None is the architecture's ``last_conv``, ``("all",)``
            the last convolution at each resolution.
        method: One of ``METHODS``.

    Raises:
        ConfigError: A layer, the head or the method is unknown.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        head: str | None = None,
        *,
        layers: tuple[str, ...] | None = None,
        method: str = "gradcam",
    ) -> None:
        if method not in METHODS:
            raise ConfigError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
        self.checkpoint, self.head, self._method = checkpoint, checkpoint.head(head), method
        self._network = checkpoint.build()
        if layers == ("all",):
            layers = stage_layers(checkpoint, self._network)
        self.layers = layers or (str(self._network.last_conv),)
        for name in self.layers:
            if name not in dict(self._network.named_modules()):
                usable = ", ".join(stage_layers(checkpoint, self._network))
                raise ConfigError(f"{checkpoint.model} has no layer {name!r}; usable: {usable}")

    def explain(self, crops: NDArray[np.uint8], target: str | None = None) -> Explanation:
        """Explain the predictions for RGB uint8 crops ``(N, H, W, 3)``, ``N`` at least 1.

        Args:
            crops: The faces.
            target: Name of the class to explain; None explains each face's predicted class.

        Raises:
            ConfigError: The class is unknown.
        """
        classes = self.checkpoint.classes
        if target is not None and target not in classes:
            raise ConfigError(f"unknown class {target!r}; known: {', '.join(classes)}")
        parts = [
            self._batch(
                torch.from_numpy(self.checkpoint.preprocessing(crops[i : i + _BATCH])), target
            )
            for i in range(0, len(crops), _BATCH)
        ]
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return Explanation(self.layers, *joined)

    def _batch(self, pixels: Tensor, target: str | None) -> tuple[NDArray[np.generic], ...]:
        columns = self.checkpoint.head_columns(self.head)
        with _AttentionMaps(self._network) as attention, torch.no_grad():
            logits = self._network(pixels)[:, columns].numpy()
        probabilities = self.head.probabilities(logits)
        if target is None:
            targets = probabilities.argmax(1)
        else:
            targets = np.full(len(pixels), self.checkpoint.classes.index(target))
        maps = np.stack(
            [self._cam(pixels, name, columns.start + targets) for name in self.layers], 1
        )
        side = pixels.shape[-1]
        return maps, targets, probabilities, attention.resized(len(pixels), side)

    def _cam(self, pixels: Tensor, layer: str, outputs: NDArray[np.int64]) -> NDArray[np.float32]:
        # Takes seconds to import, which only explanations need.
        from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        kinds = {"gradcam": GradCAM, "gradcam++": GradCAMPlusPlus, "eigencam": EigenCAM}
        reshape = getattr(self._network, "reshape_transform", None)
        module = self._network.get_submodule(layer)
        with kinds[self._method](self._network, [module], reshape_transform=reshape) as cam:
            targets = [ClassifierOutputTarget(int(i)) for i in outputs]
            return np.asarray(cam(pixels.clone(), targets), dtype=np.float32)


def stage_layers(checkpoint: Checkpoint, network: nn.Module) -> tuple[str, ...]:
    """Return a network's last convolution at each resolution, or a transformer's blocks."""
    if hasattr(network, "reshape_transform"):
        ending = str(network.last_conv).rsplit(".", 1)[-1]
        return tuple(
            name
            for name, module in network.named_modules()
            if isinstance(module, nn.LayerNorm) and name.endswith(ending)
        )
    last: dict[int, str] = {}
    hooks = [
        module.register_forward_hook(
            lambda _, __, out, name=name: last.__setitem__(out.shape[-1], name)
        )
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    preprocessing = checkpoint.preprocessing
    with torch.no_grad():
        network(
            torch.zeros(
                1, preprocessing.channels, preprocessing.input_size, preprocessing.input_size
            )
        )
    for hook in hooks:
        hook.remove()
    # Gates of channel attention are convolutions of a single pixel, which has no location.
    return tuple(name for side, name in sorted(last.items(), reverse=True) if side > 1)


class _AttentionMaps:
    """Records the maps of a network's spatial attention modules while it runs."""

    def __init__(self, network: nn.Module) -> None:
        self._modules = [m for m in network.modules() if isinstance(m, SpatialAttention)]
        self._maps: list[Tensor] = []

    def __enter__(self) -> "_AttentionMaps":
        self._hooks = [
            module.gate.register_forward_hook(lambda _, __, out: self._maps.append(out))
            for module in self._modules
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def resized(self, count: int, side: int) -> NDArray[np.float32]:
        """Return the maps ``(N, A, side, side)``."""
        resized = np.zeros((count, len(self._maps), side, side), np.float32)
        for index, maps in enumerate(self._maps):
            for row, image in enumerate(maps[:, 0].numpy()):
                resized[row, index] = cv2.resize(
                    image, (side, side), interpolation=cv2.INTER_LINEAR
                )
        return resized
