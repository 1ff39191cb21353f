"""ONNX files that describe how they must be used, as checkpoints do."""

import base64
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from utils.devices import open_session
from utils.errors import CheckpointError
from utils.model.spec import ModelSpec, read_spec

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

logger = logging.getLogger(__name__)

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
        CheckpointError: The file is missing, damaged or not of this project, or its graph does not
            do what its metadata says.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = open_session(path, threads)
        self.metadata = _read_metadata(path, self._session)
        self.spec = _read_spec(path, self.metadata)
        self.class_weights = _read_class_weights(path, self.metadata, self.spec)
        self._try(path)

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

    def _try(self, path: Path) -> None:
        """Run the graph once, which finds out whether it takes the images and gives numbers.

        Raises:
            CheckpointError: It does not.
        """
        preprocessing, heads = self.spec.preprocessing, self.spec.heads
        side, channels = preprocessing.input_size, preprocessing.channels
        outputs = len(heads) * len(self.spec.classes)
        pixels = np.zeros((1, channels, side, side), np.float32)
        weights, features = self.class_weights, None
        try:
            if weights is None:
                logits = self(pixels)
            else:
                logits, features = self.run_with_features(pixels)
        # ONNX Runtime's errors have no common type.
        except Exception as error:
            logger.info("%s can't be run", path, exc_info=error)
            raise CheckpointError(
                f"{path}: does not take images of {channels} x {side} x {side} as {INPUT!r} and "
                f"return {OUTPUT!r}, as its metadata says (export it with backend/export.py)"
            ) from error
        if logits.shape != (1, outputs) or not np.isfinite(logits).all():
            raise CheckpointError(f"{path}: does not return {outputs} finite numbers for an image")
        if weights is not None and features is not None:
            fits = features.ndim == 4 and features.shape[:2] == (1, weights.shape[1])
            if not (fits and np.isfinite(weights).all()):
                raise CheckpointError(
                    f"{path}: its class weights are damaged: they do not fit the feature map"
                )


def _read_metadata(path: Path, session: "InferenceSession") -> dict[str, str]:
    try:
        metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path}: its metadata is not UTF-8 text") from error
    return metadata


def _read_spec(path: Path, metadata: dict[str, str]) -> ModelSpec:
    if SPEC_KEY not in metadata:
        raise CheckpointError(
            f"{path}: has none of this project's metadata (export it with backend/export.py)"
        )
    try:
        # Unlike the json module's, this parser bounds how deep the content may be nested.
        content = from_json(metadata[SPEC_KEY])
    except ValueError as error:
        raise CheckpointError(f"{path}: its metadata is wrong: {error}") from error
    return read_spec(ModelSpec, content, path=path)


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
