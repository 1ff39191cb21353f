"""Where the files that come with the code are, in a checkout and in an installed package."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MODEL_FOLDER = PROJECT / "model"
BUNDLED_MODEL = MODEL_FOLDER / "best_model.pth"
BUNDLED_ONNX = MODEL_FOLDER / "best_model.onnx"
MTCNN_FOLDER = MODEL_FOLDER / "mtcnn"
RECIPES = MODEL_FOLDER / "recipes"
