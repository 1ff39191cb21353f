"""The built wheel in an environment with the base dependencies alone, used from another folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from paths import REPO

from utils.devices import limit_threads
from utils.inference.analyzer import EmotionAnalyzer
from utils.paths import BUNDLED_INT8
from utils.results import to_document

PACKAGED = ("backend", "frontend", "model", "utils", "LICENSE", "README.md", "pyproject.toml")
ABSENT = (
    "torch", "torchvision", "pandas", "pyarrow", "matplotlib", "scipy", "sklearn", "streamlit",
    "altair", "sqlalchemy", "fastapi", "onnx", "yaml",
)  # fmt: skip

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that can't see the checkout."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        timeout=600,
    )


def pip(*arguments: str | Path, cwd: Path) -> None:
    done = run(sys.executable, "-m", "pip", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr


def constraints() -> str:
    """Return the pins in the form that pip accepts as constraints, as the Makefile makes them."""
    pins = (REPO / "requirements.txt").read_text(encoding="utf-8")
    return re.sub(r"^-e .*$|\[[a-z]*\]", "", pins, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of programs of an environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("install")
    for name in PACKAGED:
        if (REPO / name).is_dir():
            shutil.copytree(REPO / name, folder / "source" / name)
        else:
            shutil.copy(REPO / name, folder / "source")
    (folder / "constraints.txt").write_text(constraints(), encoding="utf-8")
    pip("wheel", "--no-deps", "--wheel-dir", folder, folder / "source", cwd=folder)
    shutil.rmtree(folder / "source")
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", symlinks=os.name == "posix")
    programs = folder / "env" / ("bin" if os.name == "posix" else "Scripts")
    pip(
        "--python", programs / "python", "install", "--no-compile",
        "--constraint", folder / "constraints.txt", wheel, cwd=folder,
    )  # fmt: skip
    yield programs
    shutil.rmtree(folder)


@pytest.fixture
def elsewhere(tmp_path: Path, astronaut_jpg: Path) -> Path:
    """A folder with a photo, outside of the checkout."""
    shutil.copy(astronaut_jpg, tmp_path / "photo.jpg")
    return tmp_path


def test_the_base_is_light(installed: Path, elsewhere: Path) -> None:
    code = (
        "from importlib.util import find_spec\n"
        f"print(*[name for name in {ABSENT!r} if find_spec(name)])"
    )
    done = run(installed / "python", "-c", code, cwd=elsewhere)
    assert (done.stdout.split(), done.stderr) == ([], "")


def test_a_photo_is_analysed_as_in_the_checkout(installed: Path, elsewhere: Path) -> None:
    done = run(installed / "emotion", "predict", "photo.jpg", "--json", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    analyzer = EmotionAnalyzer.load(BUNDLED_INT8, threads=limit_threads(None))
    assert document == to_document(analyzer.analyze(elsewhere / "photo.jpg", name="photo.jpg"))
    assert document["faces"][0]["emotion"] == "happy"


def test_annotated_copies_and_videos(installed: Path, elsewhere: Path, clip: Path) -> None:
    done = run(
        installed / "emotion", "predict", "photo.jpg", clip, "--every", "10", "--save-dir", "out",
        "--out", "faces.csv", cwd=elsewhere,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (elsewhere / "out").iterdir()} == {"photo.jpg", clip.name}
    assert "photo.jpg" in (elsewhere / "faces.csv").read_text(encoding="utf-8")


def test_the_version(installed: Path, elsewhere: Path) -> None:
    done = run(installed / "emotion", "--version", cwd=elsewhere)
    assert re.fullmatch(r"emotion \d+\.\d+\.\d+\n", done.stdout), done.stderr


def test_every_file_of_use_is_installed_and_the_users_data_is_kept_outside(
    installed: Path, elsewhere: Path
) -> None:
    code = (
        "import utils; from utils import paths; from utils.settings import get_settings\n"
        "named = [path for path in vars(paths).values() if isinstance(path, paths.Path)]\n"
        "files = ['frontend/.streamlit/config.toml', 'frontend/about.md', 'frontend/style.css',\n"
        "         'frontend/live/stage.js', 'frontend/icon.svg',\n"
        "         'frontend/components/face_picture.css', 'frontend/components/face_picture.js',\n"
        "         'backend/service/client.html',\n"
        "         'frontend/samples/astronaut.jpg', 'utils/py.typed', 'model/zoo.json',\n"
        "         'model/best_model_int8.onnx', 'model/MODEL_CARD.md', 'model/robustness.json',\n"
        "         'utils/media/sessions/migrations/versions/0001_sessions.py',\n"
        "         'utils/media/sessions/migrations/script.py.mako']\n"
        "named += [paths.PROJECT / file for file in files]\n"
        "named.remove(paths.DATA_FOLDER)\n"
        "assert 'site-packages' in str(paths.PROJECT), paths.PROJECT\n"
        "assert str(paths.PROJECT) not in get_settings().database_url\n"
        "assert not (paths.MODEL_FOLDER / 'zoo').exists()\n"
        "print(*[path for path in named if not path.exists()])"
    )
    done = run(installed / "python", "-c", code, cwd=elsewhere)
    assert (done.stdout.split(), done.stderr) == ([], "")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ("app", "app"),
        ("api", "api"),
        ("train", "train"),
        ("evaluate", "train"),
        ("explain photo.jpg", "train"),
        ("export", "train"),
        ("average", "train"),
        ("benchmark", "train"),
        ("benchmark --api", "api"),
        ("benchmark --session", "app"),
        ("predict photo.jpg --model model.pth", "train"),
        ("predict photo.jpg --out faces.parquet", "parquet"),
    ],
)
def test_what_is_not_installed_is_named_in_a_sentence(
    installed: Path, elsewhere: Path, arguments: str, extra: str
) -> None:
    done = run(installed / "emotion", *arguments.split(), cwd=elsewhere)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(f"install them with: pip install 'emotion-detection[{extra}]'")
    assert not done.stdout


def test_a_dataset_is_prepared_without_an_extra(installed: Path, elsewhere: Path) -> None:
    done = run(installed / "emotion", "prepare", "nowhere", "--out", "images", cwd=elsewhere)
    assert "nowhere" in done.stderr
    assert "pip install" not in done.stderr


@pytest.mark.parametrize("code", ["utils.load_checkpoint", "import_module('utils.media.sessions')"])
def test_in_python_it_is_an_error_of_its_own(installed: Path, elsewhere: Path, code: str) -> None:
    code = (
        "import utils; from importlib import import_module\n"
        f"try: {code}\nexcept utils.EmotionError as error: print(error.code)"
    )
    done = run(installed / "python", "-c", code, cwd=elsewhere)
    assert (done.stdout, done.stderr) == ("missing_extra\n", "")
