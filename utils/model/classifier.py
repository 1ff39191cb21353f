"""Face crops to calibrated probabilities."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from utils.devices import resolves_to_cpu
from utils.errors import ConfigError
from utils.extras import require
from utils.model.onnx_runtime import OnnxRuntime
from utils.model.preprocessing import Preprocessing
from utils.model.spec import ModelSpec
from utils.paths import BUNDLED_ONNX

_MAX_BATCH = 64


class Runtime(Protocol):
    """Something that runs a network."""

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        ...


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
        cls,
        path: Path | str | None = None,
        device: str = "auto",
        head: str | None = None,
        threads: int = 1,
    ) -> "EmotionClassifier":
        """Read a model: ``.onnx`` runs by ONNX Runtime on the CPU, ``.pth`` by PyTorch.

        Args:
            path: The model; None is the bundled one, as ONNX file where the CPU is to be used.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            head: Which of the model's answers to give, the default one if None.
            threads: Cores that ONNX Runtime may use.

        Raises:
            CheckpointError: The file is missing, damaged, unsafe or does not fit.
            ConfigError: The device or the head is not there.
        """
        if path is None and BUNDLED_ONNX.is_file() and resolves_to_cpu(device):
            path = BUNDLED_ONNX
        if path is not None and Path(path).suffix == ".onnx":
            if device not in ("auto", "cpu"):
                raise ConfigError(f"{path}: ONNX files run on the CPU; for {device} take the .pth")
            runtime = OnnxRuntime(Path(path), threads)
            return cls(runtime.spec, runtime, head)
        require("train", feature=f"{path or 'The bundled model on a GPU'}", modules=("torch",))
        # PyTorch takes a second to import, which the ONNX file does without.
        from utils.model.checkpoint import load_checkpoint
        from utils.model.torch_runtime import TorchRuntime

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
