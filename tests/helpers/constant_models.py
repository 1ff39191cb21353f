"""Checkpoints whose predictions do not depend on the face, to be reckoned with by hand."""

from collections.abc import Sequence
from pathlib import Path

import torch

from utils.emotions import EMOTIONS
from utils.faces.crop import DEFAULT_GEOMETRY
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, save_checkpoint
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head


def save_constant_model(
    path: Path, *predictions: Sequence[float], heads: Sequence[str] = ("labels",)
) -> Path:
    """Write a checkpoint that gives every face the same probabilities, and return its path.

    Args:
        path: The ``.pth`` file.
        predictions: For each head the probabilities of the seven classes.
        heads: Names of the heads.
    """
    torch.manual_seed(0)
    args = {"stem": 4, "channels": [8], "blocks": 1, "input_size": 32}
    network = build_model("se_resnet", num_classes=7 * len(heads), **args)
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.bias.copy_(torch.tensor(predictions).flatten().log())
    checkpoint = Checkpoint(
        model="se_resnet",
        model_args={**args, "num_classes": 7 * len(heads)},
        classes=EMOTIONS,
        preprocessing=Preprocessing(input_size=32, geometry=dict(DEFAULT_GEOMETRY)),
        heads=tuple(Head(name) for name in heads),
        state_dict=network.state_dict(),
        data={"train": {"happy": 28}, "validation": {"happy": 0}},
    )
    save_checkpoint(checkpoint, path)
    return path


def probabilities(emotion: str, confidence: float) -> list[float]:
    """Return probabilities of the seven classes: one, and the rest in equal shares."""
    rest = (1 - confidence) / (len(EMOTIONS) - 1)
    return [confidence if name == emotion else rest for name in EMOTIONS]
