"""Checkpoints as ONNX files: fp32, fp16 and INT8, each held against the original."""

import hashlib
import json
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from utils.errors import CheckpointError
from utils.model.checkpoint import Checkpoint
from utils.model.onnx_runtime import (
    INPUT,
    OUTPUT,
    PRECISION_KEY,
    SPEC_KEY,
    WEIGHTS_KEY,
    OnnxRuntime,
)

PRECISIONS = ("fp32", "fp16", "int8", "int8-dynamic")


@dataclass(frozen=True)
class Limits:
    """How far an exported file may be from its original.

    Attributes:
        probability: Greatest difference of any probability.
        agreement: Least share of equal answers.
        accuracy: Greatest loss of accuracy, a share.
    """

    probability: float
    agreement: float
    accuracy: float


LIMITS = {
    "fp32": Limits(1e-4, 0.999, 0.001),
    "fp16": Limits(0.02, 0.99, 0.002),
    "int8": Limits(1.0, 0.95, 0.005),
    "int8-dynamic": Limits(1.0, 0.95, 0.005),
}


@dataclass(frozen=True)
class Drift:
    """What an exported file's answers differ by.

    Attributes:
        images: Number of images.
        max_probability: Greatest difference of any probability.
        mean_probability: Mean absolute difference.
        agreement: Share of equal answers.
        accuracy_loss: Accuracy lost, a share; None without labels.
    """

    images: int
    max_probability: float
    mean_probability: float
    agreement: float
    accuracy_loss: float | None


def weights_hash(checkpoint: Checkpoint) -> str:
    """Return a SHA-256 over names and values of a checkpoint's weights."""
    digest = hashlib.sha256()
    for name, value in sorted(checkpoint.state_dict.items()):
        digest.update(f"{name}\0{tuple(value.shape)}\0".encode())
        digest.update(value.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def export_onnx(
    checkpoint: Checkpoint, precision: str, path: Path, calibration: NDArray[np.float32]
) -> None:
    """Write a checkpoint as an ONNX file with dynamic batch and its whole description inside.

    Args:
        checkpoint: The model.
        precision: One of ``PRECISIONS``. ``int8`` is static quantisation with a scale for each
            channel of the weights and activations calibrated on images; ``int8-dynamic`` finds the
            activations' scales at run time.
        path: The ``.onnx`` file.
        calibration: Normalised float32 ``(N, C, S, S)``, for ``int8``.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "fp32.onnx"
        _export_fp32(checkpoint, plain)
        made = Path(folder) / "made.onnx"
        if precision == "fp32":
            made = plain
        elif precision == "fp16":
            onnx.save(convert_float_to_float16(onnx.load(plain), keep_io_types=True), made)
        elif precision == "int8":
            _quantize(plain, made, calibration)
        else:
            quantize_dynamic(_prepare(plain), made, per_channel=True, weight_type=QuantType.QUInt8)
        model = onnx.load(made)
        metadata = {
            SPEC_KEY: json.dumps(checkpoint.to_dict()),
            WEIGHTS_KEY: weights_hash(checkpoint),
            PRECISION_KEY: precision,
        }
        forget_exporters_notes(model)
        onnx.helper.set_model_props(model, metadata)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, path)


def forget_exporters_notes(model: onnx.ModelProto) -> None:
    """Remove stack traces, which name files of the machine that made the model."""
    graph = model.graph
    parts = [*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in (model, graph, *parts):
        del part.metadata_props[:]
        part.doc_string = ""


def _export_fp32(checkpoint: Checkpoint, path: Path) -> None:
    spec = checkpoint.preprocessing
    example = torch.zeros(2, spec.channels, spec.input_size, spec.input_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            checkpoint.build(),
            (example,),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


class _Images(CalibrationDataReader):
    def __init__(self, images: NDArray[np.float32], batch: int = 32) -> None:
        self._batches: Iterator[NDArray[np.float32]] = iter(
            np.split(images, range(batch, len(images), batch))
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


def _prepare(source: Path) -> Path:
    """Fold and infer shapes, as quantisation wants it."""
    prepared = source.with_name("prepared.onnx")
    # The exporter notes shapes that shape inference contradicts once BatchNorm is folded.
    model = onnx.load(source)
    del model.graph.value_info[:]
    onnx.save(model, source)
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    return prepared


def _quantize(source: Path, target: Path, calibration: NDArray[np.float32]) -> None:
    quantize_static(
        _prepare(source),
        target,
        _Images(calibration),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"WeightSymmetric": True},
    )


def measure_drift(
    checkpoint: Checkpoint,
    path: Path,
    pixels: NDArray[np.float32],
    labels: dict[str, NDArray[np.int64]] | None = None,
) -> Drift:
    """Compare an exported file's answers with the original's.

    Args:
        checkpoint: The original.
        path: The ``.onnx`` file.
        pixels: Normalised float32 ``(N, C, S, S)``.
        labels: Head name to int64 ``(N,)``; negative ones are left out.
    """
    runtime, network = OnnxRuntime(path), checkpoint.build()
    with torch.inference_mode():
        expected = torch.cat([network(x) for x in torch.from_numpy(pixels).split(256)]).numpy()
    found = np.concatenate([runtime(x) for x in np.split(pixels, range(256, len(pixels), 256))])
    differences, same, losses = [], [], []
    for head in checkpoint.heads:
        columns = checkpoint.head_columns(head)
        p, q = head.probabilities(expected[:, columns]), head.probabilities(found[:, columns])
        differences.append(np.abs(p - q))
        same.append(p.argmax(1) == q.argmax(1))
        truth = (labels or {}).get(head.name)
        if truth is not None and (truth >= 0).any():
            kept = truth >= 0
            right = [(a.argmax(1) == truth)[kept].mean() for a in (p, q)]
            losses.append(float(right[0] - right[1]))
    return Drift(
        images=len(pixels),
        max_probability=float(np.max(differences)),
        mean_probability=float(np.mean(differences)),
        agreement=float(np.mean(same)),
        accuracy_loss=max(losses) if losses else None,
    )


def check_drift(path: Path, precision: str, drift: Drift) -> None:
    """Refuse a file that is too far from its original.

    Raises:
        CheckpointError: It is.
    """
    limits = LIMITS[precision]
    reasons = []
    # Turned round, so that NaN is refused as well.
    if not drift.max_probability <= limits.probability:
        reasons.append(
            f"a probability differs by {drift.max_probability:.4f}, more than {limits.probability}"
        )
    if drift.agreement < limits.agreement:
        reasons.append(
            f"{drift.agreement:.1%} of the answers are the same, fewer than {limits.agreement:.1%}"
        )
    if drift.accuracy_loss is not None and drift.accuracy_loss > limits.accuracy:
        reasons.append(
            f"it loses {100 * drift.accuracy_loss:.2f} points of accuracy, more than "
            f"{100 * limits.accuracy:.1f}"
        )
    if reasons:
        raise CheckpointError(f"{path}: refused and not written: {'; '.join(reasons)}")
