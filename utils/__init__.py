"""Facial emotion detection: an image goes in, faces come out, each with calibrated probabilities.

The names below are the library's front door. Each is imported when it is first used, so that
``import utils`` costs nothing and only what needs PyTorch loads it.

Example:
    >>> from utils import EmotionAnalyzer, load_image
    >>> analyzer = EmotionAnalyzer.load()
    >>> result = analyzer.analyze(load_image("photo.jpg"))
    >>> [(face.emotion, face.confidence) for face in result.faces]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.errors import EmotionError
    from utils.inference.analyzer import EmotionAnalyzer
    from utils.inference.live import LiveAnalyzer
    from utils.media.drawing import annotate
    from utils.media.images import load_image
    from utils.model.checkpoint import load_checkpoint
    from utils.results import Face, FrameResult

    __version__: str

__all__ = [
    "EmotionAnalyzer",
    "EmotionError",
    "Face",
    "FrameResult",
    "LiveAnalyzer",
    "__version__",
    "annotate",
    "load_checkpoint",
    "load_image",
]

_MODULES = {
    "EmotionAnalyzer": "utils.inference.analyzer",
    "EmotionError": "utils.errors",
    "Face": "utils.results",
    "FrameResult": "utils.results",
    "LiveAnalyzer": "utils.inference.live",
    "annotate": "utils.media.drawing",
    "load_checkpoint": "utils.model.checkpoint",
    "load_image": "utils.media.images",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _MODULES:
        if name == "load_checkpoint":
            _require_torch()
        value = getattr(import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))


def _require_torch() -> None:
    from utils.extras import require

    require("train", feature="load_checkpoint", modules=("torch",))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("emotion-detection")
    except PackageNotFoundError:  # a checkout that was not installed
        return "0+unknown"
