"""Small valid model files, to be changed by what a test is about."""

import io
import json
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

from utils.model.architectures import build_model
from utils.model.checkpoint import FORMAT, FORMAT_VERSION, Checkpoint
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head

ARGS = {"num_classes": 3, "input_size": 32, "stem": 4, "channels": [8, 8], "blocks": 1}
PREPROCESSING = Preprocessing(32, "grey", (0.4,), (0.2,), {})


def make_checkpoint() -> Checkpoint:
    """Return an untrained network of three classes for grey images of 32x32 pixels."""
    torch.manual_seed(0)
    return Checkpoint(
        model="se_resnet",
        model_args=ARGS,
        classes=("a", "b", "c"),
        preprocessing=PREPROCESSING,
        heads=(Head(prior=(0.2, 0.3, 0.5)),),
        state_dict=build_model("se_resnet", **ARGS).state_dict(),
    )


def checkpoint_bytes(changes: dict[str, object]) -> bytes:
    """Return a checkpoint file in which some entries have other values."""
    checkpoint, file = make_checkpoint(), io.BytesIO()
    content = checkpoint.to_dict() | {"format": FORMAT, "format_version": FORMAT_VERSION}
    torch.save(content | {"state_dict": checkpoint.state_dict} | changes, file)
    return file.getvalue()


def onnx_bytes(
    metadata: dict[str, str], *, shape: tuple[int, int] = (1, 32), **changes: Any
) -> bytes:
    """Return a graph that averages an image and multiplies the means with weights."""
    channels, side = shape
    image, logits = changes.get("image", "pixels"), changes.get("logits", "logits")
    matrix = np.asarray(changes.get("weights", np.ones((channels, 3))), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [image], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], [logits]),
        ],
        "tiny",
        [helper.make_tensor_value_info(image, TensorProto.FLOAT, ["n", channels, side, side])],
        [helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["n", matrix.shape[1]])],
        [numpy_helper.from_array(matrix, "weights")],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    helper.set_model_props(model, metadata)
    return bytes(model.SerializeToString())


def spec_text(**changes: object) -> str:
    """Return the metadata of an ONNX file in which some entries have other values."""
    return json.dumps(make_checkpoint().to_dict() | changes)
