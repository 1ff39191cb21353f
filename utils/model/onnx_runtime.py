"""ONNX files that know how they must be used, as checkpoints do."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.devices import open_session
from utils.errors import CheckpointError
from utils.model.spec import ModelSpec

INPUT, OUTPUT = "pixels", "logits"
SPEC_KEY, WEIGHTS_KEY, PRECISION_KEY = "emotion_model", "weights_sha256", "precision"


def onnx_path(checkpoint: Path, precision: str = "fp32") -> Path:
    """Return where ``backend/export.py`` puts a form of a checkpoint; fp32 is the plain name."""
    suffix = "" if precision == "fp32" else f"_{precision.replace('-', '_')}"
    return checkpoint.with_name(f"{checkpoint.stem}{suffix}.onnx")


class OnnxRuntime:
    """Runs an ONNX file of ``backend/export.py`` on the CPU; safe to share between threads.

    Args:
        path: The ``.onnx`` file.
        threads: Cores that one call may use.

    Raises:
        CheckpointError: The file is missing, damaged or not of this project.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = open_session(path, threads)
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.spec = _read_spec(path, self.metadata)

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised float32 ``(N, C, S, S)`` to raw logits ``(N, H * K)``."""
        (logits,) = self._session.run([OUTPUT], {INPUT: pixels})
        result: NDArray[np.float32] = logits
        return result


def _read_spec(path: Path, metadata: dict[str, str]) -> ModelSpec:
    if SPEC_KEY not in metadata:
        raise CheckpointError(
            f"{path}: has none of this project's metadata (make it with backend/export.py)"
        )
    try:
        return ModelSpec(**ModelSpec.values_from_dict(json.loads(metadata[SPEC_KEY])))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: its metadata is incomplete or wrong: {error}") from error
