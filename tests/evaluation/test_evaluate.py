"""``backend/evaluate.py``: figures that can be checked by hand, pictures, the model card."""

import json
import subprocess
from pathlib import Path

import pytest
from constant_models import probabilities, save_constant_model
from faces_data import make_face_folder
from paths import REPO
from PIL import Image
from programs import run_program

from utils.emotions import EMOTIONS
from utils.evaluation import EvaluateConfig, ModelConfig, SplitConfig, evaluate as run_evaluation
from utils.evaluation.comparison.zoo_table import ZooRow, zoo_table
from utils.model.checkpoint import load_checkpoint, save_checkpoint

HEADER = "image,split,angry,disgust,fear,happy,neutral,sad,surprise,contempt,unknown,nf\n"


def evaluate(*args: object) -> subprocess.CompletedProcess[str]:
    return run_program("evaluate", *args)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven classes of four drawn faces; one test image is a copy of a training image."""
    drawn = dict.fromkeys(EMOTIONS, "happy")
    root = make_face_folder(
        tmp_path_factory.mktemp("data"), drawn, {"train": 4, "validation": 1, "test": 4}
    )
    duplicate = (root / "train/sad/train_sad_0000.png").read_bytes()
    (root / "test/sad/test_sad_0000.png").write_bytes(duplicate)
    votes = [f"test_happy_{i:04d}.png,test,0,0,0,0,9,1,0,0,0,0\n" for i in range(4)]
    (root / "ferplus.csv").write_text(HEADER + "".join(votes))
    return root


@pytest.fixture(scope="module")
def always_neutral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that predicts "neutral" for everything, with confidence 0.4."""
    path = tmp_path_factory.mktemp("model") / "neutral.pth"
    return save_constant_model(path, probabilities("neutral", 0.4))


def test_figures_agree_with_reckoning_by_hand(data: Path, always_neutral: Path) -> None:
    done = evaluate("--model", always_neutral, "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["images"] == 28
    assert figures["accuracy"] == pytest.approx(4 / 28)
    assert figures["twins"] == 1
    assert figures["accuracy_twin_free"] == pytest.approx(4 / 27)
    assert figures["balanced_accuracy"] == pytest.approx(1 / 7)
    assert figures["per_class"]["neutral"]["recall"] == 1
    assert figures["per_class"]["neutral"]["precision"] == pytest.approx(1 / 7)
    assert figures["per_class"]["fear"] == {"precision": 0, "recall": 0, "f1": 0, "support": 4}
    assert figures["ece"] == pytest.approx(0.4 - 4 / 28, abs=1e-4)
    # The votes call the four happy faces neutral; the others have none.
    assert figures["ferplus_accuracy"] == 1
    assert figures["label_sets"]["ferplus"]["images"] == 4
    assert figures["label_set"] == "folder labels"
    assert figures["fer2013_accuracy"] == figures["accuracy"]
    low, high = figures["intervals"]["accuracy"]
    assert low < figures["accuracy"] < high
    assert figures["top2_accuracy"] == pytest.approx(8 / 28)
    assert figures["coverage_80_accuracy"] <= 1


def test_the_program_prints_what_the_function_returns(data: Path, always_neutral: Path) -> None:
    config = EvaluateConfig(
        model=ModelConfig(path=always_neutral), split=SplitConfig(data=data), prior_table=True
    )
    result = run_evaluation(config)
    assert result.metrics.accuracy == pytest.approx(4 / 28)
    assert result.metrics.near_duplicates is not None
    assert result.metrics.near_duplicates.count == 1
    done = evaluate("--model", always_neutral, "--data", data, "--prior-table", "--json")
    assert json.dumps(result.to_document(), indent=1) + "\n" == done.stdout


def test_votes_may_lie_elsewhere_in_their_own_format(
    data: Path, always_neutral: Path, tmp_path: Path
) -> None:
    names = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
    row = "PrivateTest,test_sad_0001.png,0,0,0,10,0,0,0,0,0,0\n"
    (tmp_path / "votes.csv").write_text(names + "unknown,NF\n" + row)
    votes = ["--ferplus", tmp_path / "votes.csv"]
    done = evaluate("--model", always_neutral, "--data", data, *votes, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["label_sets"]["ferplus"]["images"] == 1
    assert figures["ferplus_accuracy"] == 0


def test_robustness_priors_and_scalings_are_measured(data: Path, always_neutral: Path) -> None:
    extras = ["--robustness", "--prior-table", "--scaling-table", "--average", "flip", "--json"]
    done = evaluate("--model", always_neutral, "--data", data, *extras)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    # No corruption changes this prediction.
    assert {row["drop"] for row in figures["robustness"]} == {0}
    assert len(figures["robustness"]) == 10
    assert figures["robustness_mean_drop"] == 0
    assert [row["prior_correction"] for row in figures["prior_table"]][::5] == [0, 0.5, 1]
    assert [row["scaling"] for row in figures["scaling_table"]] == ["temperature", "vector"]
    assert figures["scaling_table"][0]["test"]["accuracy"] == figures["accuracy"]


def test_a_model_is_no_better_than_itself(data: Path, always_neutral: Path) -> None:
    done = evaluate("--compare", always_neutral, always_neutral, "--data", data)
    assert done.returncode == 0, done.stderr
    assert "folder labels: no significant difference" in done.stdout
    done = evaluate("--compare", always_neutral, always_neutral, "--data", data, "--json")
    figures = json.loads(done.stdout)["folder"]
    assert figures["only_a"] == figures["only_b"] == 0
    assert "no significant difference" in figures["sentence"]


def test_the_zoo_is_measured_and_remembered(
    data: Path, always_neutral: Path, tmp_path: Path
) -> None:
    zoo, out = tmp_path / "zoo", tmp_path / "out"
    (zoo / "neutral").mkdir(parents=True)
    (zoo / "neutral" / "best_model.pth").write_bytes(always_neutral.read_bytes())
    done = evaluate("--zoo", zoo, "--data", data, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "| neutral |" in done.stdout
    assert "measured earlier" not in done.stdout
    (row,) = json.loads((out / "zoo.json").read_text())
    assert row["accuracy"] == pytest.approx(4 / 28)
    assert row["ferplus_accuracy"] == 1
    assert row["ms"] > 0
    assert row["multiply_adds"] > row["parameters"] > 0
    assert "†" not in done.stdout
    assert "| neutral † |" in zoo_table([ZooRow.from_document(row | {"teacher": True})])
    (zoo / "neutral").rename(zoo / "again")
    done = evaluate("--zoo", zoo, "--data", data, "--out", out)
    names = {row["name"] for row in json.loads((out / "zoo.json").read_text())}
    assert names == {"neutral", "again"}
    assert "| neutral * |" in done.stdout
    with Image.open(out / "zoo.png") as image:
        assert min(image.size) > 300


def test_end_to_end_counts_a_missing_face_as_wrong(
    data: Path, astronaut_jpg: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    for name in ("happy", "sad"):
        (photos / name).mkdir(parents=True)
    (photos / "surprise").mkdir()
    (photos / "sad" / "broken.jpg").write_text("no picture")
    (photos / "happy" / "astronaut.jpg").write_bytes(astronaut_jpg.read_bytes())
    Image.new("RGB", (200, 150), "grey").save(photos / "sad" / "wall.png")
    card = tmp_path / "card" / "MODEL_CARD.md"
    card.parent.mkdir()
    done = evaluate("--data", data, "--end-to-end", photos, "--card", card, "--json")
    assert done.returncode == 2, done.stderr
    assert "broken.jpg" in done.stderr
    assert "Traceback" not in done.stderr
    figures = json.loads(done.stdout)["end_to_end"]
    alone = evaluate("--data", "/nowhere", "--end-to-end", photos, "--json")
    assert json.loads(alone.stdout) == figures
    assert figures["accuracy"] == 0.5
    assert figures["balanced_accuracy"] == 0.5
    assert figures["no_face"] == 0.5
    assert figures["per_class"]["happy"] == {"recall": 1.0, "support": 1}
    assert figures["confusion"]["sad"]["no_face"] == 1

    text = card.read_text()
    for words in (
        "Intended use",
        "Article 5(1)(f)",
        "Annex III, point 1(c)",
        "lie detector",
        "**50.0%** right",
        "FER+",
    ):
        assert words in text
    for kind in ("confusion", "reliability", "coverage", "mistakes"):
        picture = f"{kind}_test_perceived.png"
        # The mistakes show images of the dataset, which a card must not pass on.
        assert (picture in text) == (kind != "mistakes")
        with Image.open(card.parent / picture) as image:
            assert min(image.size) > 300


def test_the_bundled_models_card_belongs_to_it() -> None:
    checkpoint = load_checkpoint()
    assert checkpoint.classes == EMOTIONS
    card = (REPO / "model" / "MODEL_CARD.md").read_text()
    assert str(checkpoint.revision) in card
    assert "Annex III, point 1(c), with obligations from 2 December 2027" in card
    for head in checkpoint.heads:
        assert f"Temperature {head.temperature:.3f}" in card
    validation = checkpoint.metrics["validation"]["perceived"]["ferplus"]["accuracy"]
    assert f"| perceived | FER+ majority | validation | {validation:.1%} " in card
    for picture in ("confusion_test_perceived.png", "confusion_test_fer2013.png"):
        assert picture in card
        assert (REPO / "model" / picture).is_file()


def test_ablation_runs_are_held_against_their_base(always_neutral: Path, tmp_path: Path) -> None:
    votes = {"ferplus": {"accuracy": 0.5, "macro_f1": 0.4, "ece": 0.02}}
    for name, option, right in (("base", 0.0, 0.5), ("with-mixup", 0.2, 0.625)):
        checkpoint = load_checkpoint(always_neutral)
        checkpoint.training = {"epochs": 3, "mixup": option, "out": name}
        labels = {"folder": {"accuracy": right, "macro_f1": 0.4, "ece": 0.02}}
        for split in ("validation", "test"):
            checkpoint.metrics[split] = {"labels": votes | labels}
        (tmp_path / name).mkdir()
        save_checkpoint(checkpoint, tmp_path / name / "best_model.pth")
    done = evaluate("--ablation", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "| with mixup (`mixup 0.2`) | 50.0% | 50.0% | 62.5% (+12.5) |" in done.stdout
    done = evaluate("--ablation", tmp_path, "--json")
    assert [row["changes"] for row in json.loads(done.stdout)] == [{}, {"mixup": 0.2}]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--data", "/nowhere"], "/nowhere/test"),
        (["--data", "{data}", "--model", "/nowhere.pth"], "/nowhere.pth"),
        (["--data", "{data}", "--out", "{data}/ferplus.csv"], "ferplus.csv"),
        (["--data", "{data}", "--end-to-end", "/nowhere"], "/nowhere"),
        (["--data", "{data}", "--head", "truth"], "perceived"),
        (["--data", "{data}", "--prior-correction", "7"], "--prior-correction"),
        (["--zoo", "/nowhere"], "/nowhere"),
        (["--zoo", "/nowhere", "--split", "validation"], "--split"),
        (["--data", "{data}", "--card", "{data}/card.md", "--average", "flip"], "--average"),
        (["--ablation", "{data}"], "base"),
        (["--data", "{data}", "--ferplus", "/nowhere.csv"], "/nowhere.csv"),
        (["--compare", "/a.pth", "/b.pth"], "/a.pth"),
    ],
)
def test_a_users_mistake_is_named(data: Path, args: list[str], words: str) -> None:
    done = evaluate(*(a.format(data=data) for a in args))
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
