"""The results of an evaluation as typed objects, each with its plain document for JSON."""

from utils.evaluation.results.evaluation import ClassRecall, EndToEndResult, EvaluationResult
from utils.evaluation.results.metrics import (
    ClassMetrics,
    Document,
    Intervals,
    Metrics,
    NearDuplicateMetrics,
)
from utils.evaluation.results.tables import (
    PriorRow,
    RobustnessResult,
    RobustnessRow,
    ScalingMetrics,
    ScalingRow,
)

__all__ = [
    "ClassMetrics",
    "ClassRecall",
    "Document",
    "EndToEndResult",
    "EvaluationResult",
    "Intervals",
    "Metrics",
    "NearDuplicateMetrics",
    "PriorRow",
    "RobustnessResult",
    "RobustnessRow",
    "ScalingMetrics",
    "ScalingRow",
]
