"""The notebooks, run from their first cell to their last on small data."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from faces_data import make_face_folder
from nbclient import NotebookClient
from paths import REPO

from utils.emotions import EMOTIONS

NOTEBOOKS = sorted((REPO / "notebook").glob("*.ipynb"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces in seven classes, with votes."""
    drawn = ("happy", "sad", "surprise")
    classes = {name: drawn[i % 3] for i, name in enumerate(EMOTIONS)}
    sizes = {"train": 24, "validation": 6, "test": 6}
    return make_face_folder(tmp_path_factory.mktemp("data") / "images", classes, sizes)


def test_all_five_are_there() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names == {
        "eda",
        "image-processing-basic",
        "data-from-kaggle",
        "training",
        "explain",
    }


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_to_its_end(
    path: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTION_DATA", str(data))
    monkeypatch.setenv("EMOTION_EPOCHS", "1")
    monkeypatch.setenv("EMOTION_RUN", str(tmp_path / "run"))
    notebook = nbformat.read(path, 4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_committed_with_its_outputs(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert np.mean([bool(cell.outputs) for cell in code]) > 0.5
    texts = [str(output) for cell in code for output in cell.outputs]
    assert not any("Traceback" in text for text in texts)
