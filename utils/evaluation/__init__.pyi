from .comparison.significance import compare_models as compare_models
from .evaluator import (
    EvaluateConfig as EvaluateConfig,
    ModelConfig as ModelConfig,
    PhotosConfig as PhotosConfig,
    evaluate as evaluate,
    evaluate_photos as evaluate_photos,
)
from .grad_cam import Explainer as Explainer
from .results import (
    EndToEndResult as EndToEndResult,
    EvaluationResult as EvaluationResult,
    Metrics as Metrics,
)
from .split import (
    LabelledSplit as LabelledSplit,
    SplitConfig as SplitConfig,
    SplitPredictions as SplitPredictions,
)
