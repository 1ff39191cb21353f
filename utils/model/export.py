"""Checkpoints as ONNX files in fp32, fp16 and INT8.

``utils/model/export_check.py`` compares each with its checkpoint.
"""

import json
import tempfile
import warnings
from collections.abc import Iterator
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
from utils.files import write_file
from utils.model.checkpoint import Checkpoint, weights_hash
from utils.model.class_activation import PooledLinear, find_pooled_linear
from utils.model.onnx_runtime import (
    CLASS_WEIGHTS_KEY,
    FEATURES,
    INPUT,
    OUTPUT,
    PRECISION_KEY,
    SPEC_KEY,
    WEIGHTS_KEY,
    encode_class_weights,
)

PRECISIONS = ("fp32", "fp16", "int8", "int8-dynamic")
_POOLING = ("ReduceMean", "GlobalAveragePool")


def export_onnx(
    checkpoint: Checkpoint, path: Path, *, precision: str, calibration: NDArray[np.float32]
) -> None:
    """Write a checkpoint as an ONNX file with dynamic batch and its whole description inside.

    A network that ends in global average pooling and one linear layer also gets its last feature
    map as an output, and that layer's weights as metadata, for class activation maps.

    Args:
        checkpoint: The model.
        path: The ``.onnx`` file.
        precision: One of ``PRECISIONS``. ``int8`` is static quantisation with a scale for each
            channel of the weights and activations calibrated on images; ``int8-dynamic`` derives
            the activations' scales at run time.
        calibration: Normalised float32 ``(N, C, S, S)``, for ``int8``.
    """
    ending = find_pooled_linear(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        model = _convert(checkpoint, Path(folder), precision, calibration)
    metadata = {
        SPEC_KEY: json.dumps(checkpoint.to_dict()),
        WEIGHTS_KEY: weights_hash(checkpoint),
        PRECISION_KEY: precision,
    }
    if ending:
        add_features_output(model, ending)
        metadata[CLASS_WEIGHTS_KEY] = encode_class_weights(ending.weights)
    strip_exporter_notes(model)
    onnx.helper.set_model_props(model, metadata)
    write_file(path, model.SerializeToString())


def add_features_output(model: onnx.ModelProto, ending: PooledLinear) -> None:
    """Add the feature map that the global average pooling receives as an output, in float32.

    It is added to the finished graph, so that conversion and quantisation, and with them the
    logits, are what they would be without it.

    Args:
        model: A network with the output ``logits``, in any precision; changed in place.
        ending: How it ends.

    Raises:
        CheckpointError: The graph has no pooling before its logits.
    """
    graph = model.graph
    producers = {name: node for node in graph.node for name in node.output}
    waiting, seen = [OUTPUT], {OUTPUT}
    while waiting:
        node = producers.get(waiting.pop(0))
        if node is None:  # an input or a constant
            continue
        if node.op_type in _POOLING:
            # Without effect on float32, a conversion from float16.
            cast = onnx.helper.make_node(
                "Cast", [node.input[0]], [FEATURES], name=FEATURES, to=onnx.TensorProto.FLOAT
            )
            graph.node.append(cast)
            shape = [graph.input[0].type.tensor_type.shape.dim[0].dim_param, *ending.shape]
            graph.output.append(
                onnx.helper.make_tensor_value_info(FEATURES, onnx.TensorProto.FLOAT, shape)
            )
            return
        fresh = [name for name in node.input if name not in seen]
        waiting += fresh
        seen.update(fresh)
    raise CheckpointError("the exported graph has no global average pooling before its logits")


def strip_exporter_notes(model: onnx.ModelProto) -> None:
    """Remove stack traces, which name files of the machine that exported the model."""
    graph = model.graph
    parts = [*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in (model, graph, *parts):
        del part.metadata_props[:]
        part.doc_string = ""


def _convert(
    checkpoint: Checkpoint, folder: Path, precision: str, calibration: NDArray[np.float32]
) -> onnx.ModelProto:
    """Return the graph in a precision, by way of files in a folder."""
    plain, converted = folder / "fp32.onnx", folder / "converted.onnx"
    _export_fp32(checkpoint, plain)
    if precision == "fp32":
        return onnx.load(plain)
    if precision == "fp16":
        return convert_float_to_float16(onnx.load(plain), keep_io_types=True)  # type: ignore[no-any-return]
    if precision == "int8":
        _quantize(plain, converted, calibration)
    else:
        prepared = _prepare_quantization(plain)
        quantize_dynamic(prepared, converted, per_channel=True, weight_type=QuantType.QUInt8)
    return onnx.load(converted)


def _export_fp32(checkpoint: Checkpoint, path: Path) -> None:
    preprocessing = checkpoint.preprocessing
    example = torch.zeros(
        2, preprocessing.channels, preprocessing.input_size, preprocessing.input_size
    )
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


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Gives the quantiser the calibration images in batches."""

    def __init__(self, images: NDArray[np.float32], batch: int = 32) -> None:
        self._batches: Iterator[NDArray[np.float32]] = iter(
            np.split(images, range(batch, len(images), batch))
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


def _prepare_quantization(source: Path) -> Path:
    """Fold constants and infer shapes, which quantisation requires."""
    prepared = source.with_name("prepared.onnx")
    # The exporter notes shapes that shape inference contradicts once BatchNorm is folded.
    model = onnx.load(source)
    del model.graph.value_info[:]
    onnx.save(model, source)
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    return prepared


def _quantize(source: Path, target: Path, calibration: NDArray[np.float32]) -> None:
    quantize_static(
        _prepare_quantization(source),
        target,
        _Calibration(calibration),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        # Weights of seven bits: without VNNI instructions, the sum of two products of eight bits
        # overflows the 16 that x86 processors add them in.
        reduce_range=True,
        extra_options={"WeightSymmetric": True},
    )
