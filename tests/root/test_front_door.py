"""What ``import utils`` offers, and what it costs: which libraries are loaded by which import."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from paths import REPO

import utils

# Rooms and files that run without PyTorch: everything but training, evaluation and these.
NEEDS_TORCH = (
    "utils.training",
    "utils.evaluation",
    "utils.model.architectures",
    "utils.model.checkpoint",
    "utils.model.class_activation",
    "utils.model.export",
    "utils.model.export_check",
    "utils.model.plain_file",
    "utils.model.pretrained",
    "utils.model.torch_runtime",
    "utils.model.weight_averaging",
)


def loaded(code: str, *libraries: str) -> list[str]:
    """Run code in a new interpreter and return which of the libraries it has loaded."""
    report = f"import sys; print(*[name for name in {libraries!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=REPO,
    )
    return done.stdout.split()


def modules_without_torch() -> list[str]:
    """Return the names of all modules of the library that promise to run without PyTorch."""
    files = [path.relative_to(REPO).with_suffix("") for path in (REPO / "utils").rglob("*.py")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in files]
    return sorted(
        name
        for name in names
        if not f"{name}.".startswith(tuple(f"{room}." for room in NEEDS_TORCH))
        and "migrations" not in name  # Alembic runs these
    )


def test_the_names_are_sorted() -> None:
    assert utils.__all__ == sorted(utils.__all__)
    assert set(utils.__all__) <= set(dir(utils))


@pytest.mark.parametrize("name", [name for name in utils.__all__ if name != "__version__"])
def test_a_name_is_the_object_of_its_module(name: str) -> None:
    thing = getattr(utils, name)
    assert thing.__name__ == name
    assert thing.__doc__


def test_the_version_is_that_of_the_installation() -> None:
    assert utils.__version__ == version("emotion-detection")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="attribute EmotionAnalyser"):
        utils.EmotionAnalyser  # noqa: B018


def test_the_library_is_imported_without_any_other() -> None:
    assert not loaded("import utils", "numpy", "cv2", "onnxruntime", "torch", "pydantic")


@pytest.mark.parametrize(
    "code",
    [
        "from utils import EmotionAnalyzer, Face, FrameResult, load_image",
        "from utils import LiveAnalyzer, annotate",
        "import utils.inference.batch, utils.inference.video, utils.media.tables.writers",
        "import backend.inference",
        "import backend.service.app",
    ],
)
def test_use_loads_neither_training_nor_tables(code: str) -> None:
    heavy = ("torch", "pandas", "pyarrow", "matplotlib", "scipy", "sklearn", "sqlalchemy")
    assert not loaded(code, *heavy)


def test_only_some_modules_need_pytorch() -> None:
    code = "".join(f"import {name}\n" for name in modules_without_torch())
    assert "import utils.inference.analyzer\n" in code
    assert not loaded(code, "torch", "torchvision", "matplotlib", "scipy", "sklearn")


def test_the_pages_do_without_pytorch() -> None:
    pages = [path.stem for path in (REPO / "frontend").glob("*.py") if path.stem != "app"]
    code = "".join(f"import frontend.{name}\n" for name in pages)
    assert "import frontend.resources\n" in code
    assert not loaded(code, "torch", "matplotlib", "scipy", "sklearn")
