from .architectures import (
    EmotionCNN as EmotionCNN,
    build_model as build_model,
    list_models as list_models,
)
from .checkpoint import load_checkpoint as load_checkpoint
from .classifier import EmotionClassifier as EmotionClassifier
from .preprocessing import Preprocessing as Preprocessing
