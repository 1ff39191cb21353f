"""``evaluate.py --ensemble``: models and the mean of their predictions, reckoned by hand."""

import json
from pathlib import Path

import pytest
from constant_models import probabilities, save_constant_model
from faces_data import make_face_folder
from programs import run_program

from utils.emotions import EMOTIONS

HEADER = "image,split,angry,disgust,fear,happy,neutral,sad,surprise,contempt,unknown,nf\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three happy, one sad and one neutral face, all of which the votes call sad."""
    names = {"happy": "happy", "neutral": "happy", "sad": "sad"}
    root = make_face_folder(tmp_path_factory.mktemp("data"), names, {"test": 3})
    for emotion, count in (("neutral", 1), ("sad", 1)):
        for path in sorted((root / "test" / emotion).iterdir())[count:]:
            path.unlink()
    for emotion in set(EMOTIONS) - set(names):
        (root / "test" / emotion).mkdir()
    faces = sorted((root / "test").rglob("*.png"))
    votes = [f"{path.name},test,0,0,0,0,1,9,0,0,0,0\n" for path in faces]
    (root / "ferplus.csv").write_text(HEADER + "".join(votes))
    return root


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A benchmark network of two heads, and a network that learned votes alone."""
    folder = tmp_path_factory.mktemp("models")
    sad, happy = probabilities("sad", 0.4), probabilities("happy", 0.9)
    return [
        save_constant_model(folder / "both.pth", sad, happy, heads=("perceived", "fer2013")),
        save_constant_model(folder / "votes.pth", happy, heads=("perceived",)),
    ]


def test_each_label_set_is_measured_by_the_heads_that_learned_it(
    data: Path, models: list[Path]
) -> None:
    done = run_program("evaluate", "--ensemble", *models, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    both, votes = (str(path) for path in models)
    rows = json.loads(done.stdout)
    found = {(row["name"], row["label_set"]): row["accuracy"] for row in rows}
    assert found == {
        (both, "folder"): pytest.approx(3 / 5),
        (votes, "folder"): pytest.approx(3 / 5),
        ("mean", "folder"): pytest.approx(3 / 5),
        (both, "ferplus"): 1,
        (votes, "ferplus"): 0,
        ("mean", "ferplus"): 0,  # the surer one prevails
    }
    (mean,) = (row for row in rows if (row["name"], row["label_set"]) == ("mean", "folder"))
    assert mean["ece"] == pytest.approx(0.9 - 3 / 5)  # the votes' head has no part in it


def test_the_table(data: Path, models: list[Path]) -> None:
    done = run_program("evaluate", "--ensemble", *models, "--data", data)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("mean")] == [
        "60.00%",
        "0.00%",
    ]


def test_a_missing_model_is_named(data: Path, models: list[Path]) -> None:
    done = run_program("evaluate", "--ensemble", models[0], "/nowhere.pth", "--data", data)
    assert done.returncode == 2
    assert "/nowhere.pth" in done.stderr
    assert "Traceback" not in done.stderr
