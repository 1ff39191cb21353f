"""ONNX files that describe how they must be used, as checkpoints do."""

import base64
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.devices import open_session
from utils.errors import CheckpointError
from utils.model.spec import ModelSpec

INPUT, OUTPUT, FEATURES = "pixels", "logits", "features"
SPEC_KEY, WEIGHTS_KEY, PRECISION_KEY = "emotion_model", "weights_sha256", "precision"
CLASS_WEIGHTS_KEY = "class_weights"


def onnx_path(checkpoint: Path, precision: str = "fp32") -> Path:
    """Return where ``backend/export.py`` writes a checkpoint; fp32 has no suffix."""
    suffix = "" if precision == "fp32" else f"_{precision.replace('-', '_')}"
    return checkpoint.with_name(f"{checkpoint.stem}{suffix}.onnx")


def encode_class_weights(weights: NDArray[np.float32]) -> str:
    """Return the last layer's float32 weights ``(H * K, C)`` as metadata text."""
    return base64.b64encode(weights.astype("<f4").tobytes()).decode("ascii")


class OnnxRuntime:
    """Runs an ONNX file of ``backend/export.py`` on the CPU; safe to share between threads.

    Args:
        path: The ``.onnx`` file.
        threads: Cores that one call may use.

    Attributes:
        metadata: The file's metadata by key.
        spec: How the model must be used.
        class_weights: float32 ``(H * K, C)``, the last layer's weights on the pooled feature map;
            None if the network does not end in global average pooling and one linear layer, or the
            file was exported before feature maps were.

    Raises:
        CheckpointError: The file is missing, damaged or not of this project.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = open_session(path, threads)
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.spec = _read_spec(path, self.metadata)
        self.class_weights = _read_class_weights(path, self.metadata, self.spec)

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        (logits,) = self._session.run([OUTPUT], {INPUT: pixels})
        return np.asarray(logits)

    def run_with_features(
        self, pixels: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return raw logits ``(N, H * K)`` and the last feature map ``(N, C, h, w)``, both float32.

        Only for a file that has ``class_weights``.
        """
        logits, features = self._session.run([OUTPUT, FEATURES], {INPUT: pixels})
        return np.asarray(logits), np.asarray(features)


def _read_spec(path: Path, metadata: dict[str, str]) -> ModelSpec:
    if SPEC_KEY not in metadata:
        raise CheckpointError(
            f"{path}: has none of this project's metadata (export it with backend/export.py)"
        )
    try:
        return ModelSpec(**ModelSpec.values_from_dict(json.loads(metadata[SPEC_KEY])))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: its metadata is incomplete or wrong: {error}") from error


def _read_class_weights(
    path: Path, metadata: dict[str, str], spec: ModelSpec
) -> NDArray[np.float32] | None:
    if CLASS_WEIGHTS_KEY not in metadata:
        return None
    outputs = len(spec.heads) * len(spec.classes)
    try:
        values = np.frombuffer(base64.b64decode(metadata[CLASS_WEIGHTS_KEY]), "<f4")
        return values.astype(np.float32).reshape(outputs, -1)
    except ValueError as error:
        raise CheckpointError(f"{path}: its class weights are damaged: {error}") from error
