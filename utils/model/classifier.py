"""Face crops to calibrated probabilities and class activation maps."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from utils.devices import resolves_to_cpu
from utils.errors import ConfigError
from utils.extras import require
from utils.model.heat_maps import class_activation_maps
from utils.model.onnx_runtime import OnnxRuntime
from utils.model.preprocessing import Preprocessing
from utils.model.spec import ModelSpec
from utils.paths import BUNDLED_INT8

_MAX_BATCH = 64


class Runtime(Protocol):
    """Something that runs a network."""

    @property
    def class_weights(self) -> NDArray[np.float32] | None:
        """float32 ``(H * K, C)``, the last layer's weights on the pooled feature map, or None."""
        ...

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        ...

    def run_with_features(
        self, pixels: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return raw logits and the last feature map ``(N, C, h, w)``, given ``class_weights``."""
        ...


class EmotionClassifier:
    """A trained network with its preprocessing and calibration; safe to share between threads.

    Args:
        spec: How the model must be used.
        runtime: Runs its network.
        head: Name of the head to predict with; None is the model's default.

    Raises:
        ConfigError: The model has no such head.
    """

    def __init__(self, spec: ModelSpec, runtime: Runtime, *, head: str | None = None) -> None:
        self.spec = spec
        self.head = spec.head(head)
        self._runtime = runtime
        self._columns = spec.head_columns(self.head)

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        device: str = "auto",
        *,
        head: str | None = None,
        threads: int = 1,
    ) -> "EmotionClassifier":
        """Load a model: ``.onnx`` files run with ONNX Runtime on the CPU, ``.pth`` with PyTorch.

        Args:
            path: The model; None is the bundled one, as the INT8 file where the CPU is used.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            head: Name of the head to predict with; None is the model's default.
            threads: Cores that ONNX Runtime may use.

        Raises:
            CheckpointError: The file is missing, damaged, unsafe or does not fit.
            ConfigError: The device or the head is not available.
        """
        if path is None and BUNDLED_INT8.is_file() and resolves_to_cpu(device):
            path = BUNDLED_INT8
        if path is not None and Path(path).suffix == ".onnx":
            if device not in ("auto", "cpu"):
                raise ConfigError(f"{path}: ONNX files run on the CPU; use the .pth on {device}")
            runtime = OnnxRuntime(Path(path), threads)
            return cls(runtime.spec, runtime, head=head)
        require("train", feature=f"{path or 'The bundled model on a GPU'}", modules=("torch",))
        # PyTorch takes a second to import, which the ONNX file does without.
        from utils.model.checkpoint import load_checkpoint
        from utils.model.torch_runtime import TorchRuntime

        checkpoint = load_checkpoint(path)
        return cls(checkpoint, TorchRuntime(checkpoint, device), head=head)

    @property
    def model_name(self) -> str:
        """Name of the network's architecture."""
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
        """Predictions less probable than this are uncertain."""
        return self.head.threshold

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 probabilities ``(N, K)`` for RGB uint8 crops ``(N, H, W, 3)``.

        Rows sum to 1, columns are in the order of ``classes``; no crops give ``(0, K)``.
        """
        rows = [np.zeros((0, len(self.classes)), np.float32)]
        for pixels in self._batches(crops):
            rows.append(self._probabilities(self._runtime(pixels)))
        return np.concatenate(rows)

    def activation_maps(
        self, crops: NDArray[np.uint8], target: str | Sequence[int] | None = None
    ) -> NDArray[np.float32]:
        """Return where the evidence for a class lies, for networks that end in global pooling.

        Class activation maps (Zhou et al., 2016), which equal Grad-CAM of the last feature map.

        Args:
            crops: RGB uint8 ``(N, H, W, 3)``.
            target: The class to explain: a name for all crops, a class index for each crop, or
                None for the most probable class of each.

        Returns:
            float32 ``(N, S, S)`` in 0..1, S being the network's input size; 1 is the strongest
            evidence for the class. No crops give ``(0, S, S)``.

        Raises:
            ConfigError: The class is unknown, or the network has another ending.
        """
        weights, side = self._class_weights(), self.preprocessing.input_size
        fixed = self._target_indices(target, len(crops))
        maps = [np.zeros((0, side, side), np.float32)]
        for number, pixels in enumerate(self._batches(crops)):
            logits, features = self._runtime.run_with_features(pixels)
            if fixed is None:
                chosen = self._probabilities(logits).argmax(1)
            else:
                chosen = fixed[number * _MAX_BATCH :][: len(pixels)]
            maps.append(class_activation_maps(features, weights[chosen], size=side))
        return np.concatenate(maps)

    def warm_up(self) -> None:
        """Run once, so that the first real image is not the slow one."""
        side = self.preprocessing.input_size
        self.predict(np.zeros((1, side, side, 3), np.uint8))

    def check_activation_maps(self) -> None:
        """Find out whether ``activation_maps`` works with this model.

        Raises:
            ConfigError: It does not, as the network has another ending.
        """
        self._class_weights()

    def _class_weights(self) -> NDArray[np.float32]:
        """Return the head's rows ``(K, C)`` of the last layer's weights."""
        weights = self._runtime.class_weights
        if weights is None:
            raise ConfigError(
                f"{self.model_name} has no class activation map; Grad-CAM (backend/explain.py) "
                "explains it and needs pip install 'emotion-detection[train]'. An ONNX file of an "
                "earlier version gets its map when backend/export.py writes it again"
            )
        return weights[self._columns]

    def _target_indices(
        self, target: str | Sequence[int] | None, count: int
    ) -> NDArray[np.int64] | None:
        """Return a class index for each crop; None leaves the choice to the predictions."""
        if target is None:
            return None
        if not isinstance(target, str):
            indices, last = np.asarray(target, np.int64), len(self.classes) - 1
            if indices.shape != (count,) or not ((indices >= 0) & (indices <= last)).all():
                raise ConfigError(
                    f"target must be {count} class indices from 0 to {last}, not {list(target)}"
                )
            return indices
        if target not in self.classes:
            raise ConfigError(f"unknown class {target!r}; known: {', '.join(self.classes)}")
        return np.full(count, self.classes.index(target))

    def _batches(self, crops: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(crops), _MAX_BATCH):
            yield self.preprocessing(crops[start : start + _MAX_BATCH])

    def _probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.head.probabilities(logits[:, self._columns])
