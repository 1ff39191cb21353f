"""Two heads of one network, calibration, and distillation from other networks."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from faces_data import make_face_folder
from programs import run_program

from utils.emotions import EMOTIONS
from utils.errors import CheckpointError, ConfigError
from utils.evaluation.predict import predict_logits
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, start_from
from utils.model.classifier import EmotionClassifier
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head
from utils.processing.dataset import load_split
from utils.training.config import TargetConfig
from utils.training.targets import distilled_targets, label_targets

HEADER = "image,split,angry,disgust,fear,happy,neutral,sad,surprise,contempt,unknown,nf\n"
TINY = Preprocessing(input_size=32)
SMALL = {"stem": 8, "channels": [16, 32], "blocks": 1, "dropout": 0.1}
# What the crowd sees in a folder's faces: another emotion than the folder's name says.
SEEN = {"happy": "surprise", "sad": "happy", "surprise": "sad"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn emotions in seven folders, with votes for other emotions than the folders'."""
    root = tmp_path_factory.mktemp("data")
    make_face_folder(root)
    lines = []
    for split in ("train", "validation", "test"):
        for name in EMOTIONS:
            (root / split / name).mkdir(exist_ok=True)
        for folder, seen in SEEN.items():
            votes = ",".join("10" if e == seen else "0" for e in EMOTIONS)
            for path in (root / split / folder).iterdir():
                lines.append(f"{path.name},{split},{votes},0,0,0\n")
    (root / "ferplus.csv").write_text(HEADER + "".join(lines))
    return root


def train(data: Path, out: Path, **options: object) -> subprocess.CompletedProcess[str]:
    recipe = {
        "model": "se_resnet", "model_args": SMALL, "input_size": 32, "batch_size": 24,
        "optimizer": "adam", "lr": 0.01, "schedule": "cosine", "warmup_epochs": 1, "epochs": 8,
        "augmentation": "basic", "ema": 0.8, "precision": "fp32", "progressive_epochs": 0,
        "ferplus_weight": 1.0, "benchmark_head": True,
    }  # fmt: skip
    config = out.parent / f"{out.name}.yaml"
    config.write_text(yaml.safe_dump(recipe | options))
    return run_program("train", "--quiet", "--data", data, "--config", config, "--out", out)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with two heads, trained on data whose label sets never agree."""
    out = tmp_path_factory.mktemp("runs") / "two"
    done = train(data, out)
    assert done.returncode == 0, done.stderr
    assert "perceived (FER+ crowd votes); fer2013 (folder names)" in done.stdout
    return out / "best_model.pth"


@pytest.mark.slow
def test_each_head_learns_its_own_labels(trained: Path) -> None:
    checkpoint = load_checkpoint(trained)
    assert [head.name for head in checkpoint.heads] == ["perceived", "fer2013"]
    figures = checkpoint.metrics["test"]
    assert figures["perceived"]["ferplus"]["accuracy"] >= 0.9
    assert figures["fer2013"]["folder"]["accuracy"] >= 0.9
    assert figures["perceived"]["folder"]["accuracy"] <= 0.1
    for head in checkpoint.heads:
        assert sum(head.prior) == pytest.approx(1, abs=1e-3)
    assert (trained.parent / "confusion_test_fer2013.png").stat().st_size > 1000
    assert "head fer2013" in (trained.parent / "report.md").read_text()


@pytest.mark.slow
def test_a_classifier_predicts_with_the_head_asked_for(trained: Path, data: Path) -> None:
    spec = load_checkpoint(trained).preprocessing
    images = load_split(data, "test", preprocessing=spec)
    crops = images.batch(np.arange(len(images))).transpose(0, 2, 3, 1).repeat(3, 3)
    by_folder = images.labels
    seen = np.array([EMOTIONS.index(SEEN[EMOTIONS[i]]) for i in by_folder])
    default = EmotionClassifier.load(trained).predict(crops)
    benchmark = EmotionClassifier.load(trained, head="fer2013").predict(crops)
    assert (default.argmax(1) == seen).mean() >= 0.9
    assert (benchmark.argmax(1) == by_folder).mean() >= 0.9
    np.testing.assert_allclose(benchmark.sum(1), 1, atol=1e-5)
    with pytest.raises(ConfigError, match=r"'truth'.*perceived, fer2013"):
        EmotionClassifier.load(trained, head="truth")


@pytest.mark.slow
def test_targets_are_blended_with_the_teachers_predictions(trained: Path, data: Path) -> None:
    teacher = load_checkpoint(trained)
    other = replace(teacher.preprocessing, mean=(0.1,))
    folder = load_split(data, "train", preprocessing=other)
    config = TargetConfig(
        ferplus_weight=1.0, benchmark_head=True, distill=(trained,), distill_weight=0.25
    )
    labels = label_targets(config, folder)
    cpu = torch.device("cpu")
    blended = distilled_targets(config, folder, targets=labels, device=cpu)
    own = folder.with_preprocessing(teacher.preprocessing)
    for i, head in enumerate(teacher.heads):
        columns = slice(7 * i, 7 * i + 7)
        logits = predict_logits(teacher.build(), own, device=torch.device("cpu"), average="flip")[
            :, columns
        ]
        predicted = torch.from_numpy(head.probabilities(logits.numpy()))
        expected = 0.75 * labels[:, columns] + 0.25 * predicted
        assert torch.allclose(blended[:, columns], expected, atol=1e-5)


@pytest.mark.slow
def test_training_goes_on_from_another_model(trained: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "more"
    done = train(data, out, epochs=1, lr=1e-9, warmup_epochs=0, ema=0.0, init=str(trained))
    assert done.returncode == 0, done.stderr
    figures = load_checkpoint(out / "best_model.pth").metrics["test"]
    assert figures["perceived"]["ferplus"]["accuracy"] >= 0.9


def test_a_last_layer_of_other_classes_starts_anew() -> None:
    torch.manual_seed(0)
    ten, two = (build_model("se_resnet", num_classes=n, **SMALL) for n in (10, 2))
    spec = Checkpoint(
        model="se_resnet", model_args={}, classes=("a",), preprocessing=TINY,
        state_dict=ten.state_dict(),
    )  # fmt: skip
    before = two.fc.weight.clone()
    assert start_from(two, spec, Path("ten.pth")) == ["fc.bias", "fc.weight"]
    assert torch.equal(two.fc.weight, before)
    assert torch.equal(two.stem[0].weight, ten.stem[0].weight)
    with pytest.raises(CheckpointError, match=r"ten\.pth.*do not fit"):
        start_from(build_model("emotion_cnn", input_size=32), spec, Path("ten.pth"))


def test_a_teacher_of_other_classes_is_refused(data: Path, tmp_path: Path) -> None:
    args = SMALL | {"num_classes": 2}
    spec = load_split(data, "train", preprocessing=TINY).preprocessing
    checkpoint = Checkpoint(
        model="se_resnet", model_args=args, classes=("yes", "no"), preprocessing=spec,
        state_dict=build_model("se_resnet", **args).state_dict(),
    )  # fmt: skip
    save_checkpoint(checkpoint, tmp_path / "other.pth")
    folder = load_split(data, "train", preprocessing=TINY)
    config = TargetConfig(distill=(tmp_path / "other.pth",))
    with pytest.raises(ConfigError, match=r"other\.pth.*yes"):
        distilled_targets(
            config,
            folder,
            targets=label_targets(config, folder),
            device=torch.device("cpu"),
        )


def test_the_prior_correction_favours_rare_classes() -> None:
    logits = np.log(np.array([[0.6, 0.3, 0.1]], np.float32))
    plain = Head(prior=(0.8, 0.1, 0.1))
    np.testing.assert_allclose(plain.probabilities(logits), [[0.6, 0.3, 0.1]], atol=1e-6)
    full = replace(plain, prior_correction=1.0).probabilities(logits)
    expected = np.array([0.6 / 0.8, 0.3 / 0.1, 0.1 / 0.1])
    np.testing.assert_allclose(full[0], expected / expected.sum(), atol=1e-6)


def test_a_benchmark_head_without_votes_is_refused(data: Path, tmp_path: Path) -> None:
    done = train(data, tmp_path / "run", ferplus_weight=0.0)
    assert done.returncode == 2
    assert "benchmark_head" in done.stderr
