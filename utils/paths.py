"""Where the files that come with the code are, in a checkout and in an installed package."""

from pathlib import Path

from platformdirs import user_data_path

PROJECT = Path(__file__).resolve().parents[1]
IS_CHECKOUT = (PROJECT / "pyproject.toml").is_file()

MODEL_FOLDER = PROJECT / "model"
BUNDLED_MODEL = MODEL_FOLDER / "best_model.pth"
BUNDLED_ONNX = MODEL_FOLDER / "best_model.onnx"
BUNDLED_INT8 = MODEL_FOLDER / "best_model_int8.onnx"
MTCNN_FOLDER = MODEL_FOLDER / "mtcnn"
RECIPES = MODEL_FOLDER / "recipes"
APP = PROJECT / "frontend" / "app.py"

# What the user makes stays out of site-packages: an upgrade of the package would delete it there.
DATA_FOLDER = PROJECT if IS_CHECKOUT else user_data_path("emotion-detection", appauthor=False)
