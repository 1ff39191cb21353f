"""Measure models: metrics, calibration, robustness, comparison, explanation.

The names of ``__all__`` are loaded when first used, because most of them need PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from utils.evaluation.comparison.significance import compare_models
    from utils.evaluation.evaluator import (
        EvaluateConfig,
        ModelConfig,
        PhotosConfig,
        evaluate,
        evaluate_photos,
    )
    from utils.evaluation.grad_cam import Explainer
    from utils.evaluation.results import EndToEndResult, EvaluationResult, Metrics
    from utils.evaluation.split import LabelledSplit, SplitConfig, SplitPredictions

_MODULES = {
    "EndToEndResult": "results",
    "EvaluateConfig": "evaluator",
    "EvaluationResult": "results",
    "Explainer": "grad_cam",
    "LabelledSplit": "split",
    "Metrics": "results",
    "ModelConfig": "evaluator",
    "PhotosConfig": "evaluator",
    "SplitConfig": "split",
    "SplitPredictions": "split",
    "compare_models": "comparison.significance",
    "evaluate": "evaluator",
    "evaluate_photos": "evaluator",
}

__all__ = [
    "EndToEndResult",
    "EvaluateConfig",
    "EvaluationResult",
    "Explainer",
    "LabelledSplit",
    "Metrics",
    "ModelConfig",
    "PhotosConfig",
    "SplitConfig",
    "SplitPredictions",
    "compare_models",
    "evaluate",
    "evaluate_photos",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
