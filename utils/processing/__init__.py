"""Labelled data in NumPy arrays: datasets, FER+ votes, near-duplicates, corruptions, preparation.

The names below are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.processing.corruptions import CORRUPTIONS
    from utils.processing.dataset import FaceDataset, load_split
    from utils.processing.near_duplicates import find_near_duplicates

__all__ = ["CORRUPTIONS", "FaceDataset", "find_near_duplicates", "load_split"]

_MODULES = {
    "CORRUPTIONS": "utils.processing.corruptions",
    "FaceDataset": "utils.processing.dataset",
    "find_near_duplicates": "utils.processing.near_duplicates",
    "load_split": "utils.processing.dataset",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
