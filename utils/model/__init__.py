"""Models: architectures, checkpoints, preprocessing, runtimes and export.

The names below are imported on first use, so that an ONNX model runs without PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.model.architectures import EmotionCNN, build_model, list_models
    from utils.model.checkpoint import load_checkpoint
    from utils.model.classifier import EmotionClassifier
    from utils.model.preprocessing import Preprocessing

__all__ = [
    "EmotionCNN",
    "EmotionClassifier",
    "Preprocessing",
    "build_model",
    "list_models",
    "load_checkpoint",
]

_MODULES = {
    "EmotionCNN": "utils.model.architectures",
    "EmotionClassifier": "utils.model.classifier",
    "Preprocessing": "utils.model.preprocessing",
    "build_model": "utils.model.architectures",
    "list_models": "utils.model.architectures",
    "load_checkpoint": "utils.model.checkpoint",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
