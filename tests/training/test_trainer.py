"""Training learns and saves the best epoch; a killed run resumes to the same end."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from faces_data import make_face_folder
from paths import REPO
from PIL import Image
from programs import run_program
from threads import wait_until

from utils.model.checkpoint import load_checkpoint
from utils.model.plain_file import load_plain

SMALL = {
    "model": "se_resnet",
    "model_args": {"stem": 8, "channels": [16, 32], "blocks": 1, "dropout": 0.1},
    "input_size": 32,
    "batch_size": 24,
    "optimizer": "adam",
    "lr": 0.01,
    "schedule": "cosine",
    "warmup_epochs": 1,
    "weight_decay": 0.0005,
    "augmentation": "full",
    "ema": 0.8,
    "precision": "fp32",
    "patience": 0,
    "progressive_epochs": 0,
    "ferplus_weight": 0.0,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_face_folder(tmp_path_factory.mktemp("data"))


def train(*args: object, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    return run_program("train", "--quiet", *args, *(["--config", config] if config else []))


def write_config(folder: Path, **changes: object) -> Path:
    path = folder / "config-in.yaml"
    path.write_text(yaml.safe_dump(SMALL | changes))
    return path


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return [
            {k: v for k, v in row.items() if k not in ("seconds", "images_per_second")}
            for row in csv.DictReader(file)
        ]


@pytest.mark.slow
def test_learns_and_a_killed_run_resumes_to_the_same_end(data: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, epochs=14)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = train("--data", data, "--out", whole, config=config)
    assert done.returncode == 0, done.stderr

    command = [sys.executable, "backend/train.py", "--quiet", "--data", data, "--out", killed]
    with subprocess.Popen(
        [*map(str, command), "--config", str(config)],
        cwd=REPO,
        stdout=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 120
        while not (killed / "last.pth").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    finished = len(load_plain(killed / "last.pth")["progress"]["history"])
    assert 1 <= finished < 14, "the run was not killed in the middle"
    resumed = train("--resume", killed)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming after epoch" in resumed.stdout

    assert history(killed) == history(whole)
    one, two = load_plain(whole / "last.pth"), load_plain(killed / "last.pth")
    for name, weights in one["network"].items():
        assert torch.equal(weights, two["network"][name]), name

    checkpoint = load_checkpoint(whole / "best_model.pth")
    assert checkpoint.classes == ("happy", "sad", "surprise")
    assert checkpoint.metrics["test"]["labels"]["folder"]["accuracy"] >= 0.9
    assert checkpoint.heads[0].temperature > 0
    assert 0 < checkpoint.heads[0].threshold <= 1
    best = max(float(row["validation_accuracy"]) for row in history(whole))
    assert checkpoint.metrics["validation"]["labels"]["folder"]["accuracy"] == pytest.approx(
        best, abs=0.021
    )
    for name in ("config.yaml", "curves.png", "confusion_test_labels.png", "report.md"):
        assert (whole / name).stat().st_size > 100, name
    assert yaml.safe_load((whole / "config.yaml").read_text())["epochs"] == 14


@pytest.mark.slow
def test_ctrl_c_ends_a_run_that_can_be_resumed(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "backend/train.py", "--quiet", "--data", str(data)]
    command += ["--out", str(tmp_path), "--config", str(write_config(tmp_path, epochs=500))]
    with subprocess.Popen(command, cwd=REPO, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until((tmp_path / "last.pth").exists, seconds=120)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == "interrupted"
    assert "Traceback" not in errors
    assert load_plain(tmp_path / "last.pth")["progress"]["history"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {
                "schedule": "plateau",
                "loss": "focal",
                "class_weights": "balanced",
                "precision": "bf16",
                "augmentation": "basic",
                "ema": 0.0,
            },
            id="plateau-focal-balanced-bf16",
        ),
        pytest.param(
            {
                "model": "emotion_cnn",
                "model_args": {},
                "optimizer": "adamw",
                "lr": 0.003,
                "schedule": "onecycle",
                "mixup": 0.2,
                "cutmix": 0.5,
                "label_smoothing": 0.1,
                "augmentation": "none",
                "class_weights": "sqrt",
                "color": "rgb",
                "cache_gb": 0,
            },
            id="emotion_cnn-onecycle-mixing-uncached-rgb",
        ),
    ],
)
def test_other_options_learn_classes_of_another_name(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    data = make_face_folder(tmp_path / "data", {"smile": "happy", "frown": "sad"})
    out = tmp_path / "run"
    done = train("--data", data, "--out", out, config=write_config(tmp_path, epochs=12, **changes))
    assert done.returncode == 0, done.stderr
    checkpoint = load_checkpoint(out / "best_model.pth")
    assert checkpoint.classes == ("frown", "smile")
    assert checkpoint.metrics["validation"]["labels"]["folder"]["accuracy"] >= 0.85
    assert checkpoint.preprocessing.color == changes.get("color", "grey")


@pytest.mark.slow
def test_the_readmes_command_trains_on_any_folder(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = train("--data", data, "--model", "se_resnet", "--out", out, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    assert "targets: labels (folder names)" in done.stdout
    assert load_checkpoint(out / "best_model.pth").heads[0].label_set == "folder names"


@pytest.mark.slow
def test_the_last_epoch_is_kept_on_request(data: Path, tmp_path: Path) -> None:
    # This learning rate is too high, so earlier epochs are mostly better.
    changes = {"epochs": 5, "schedule": "constant", "lr": 2.0, "ema": 0.0, "keep": "last"}
    done = train(
        "--data", data, "--out", tmp_path / "run", config=write_config(tmp_path, **changes)
    )
    assert done.returncode == 0, done.stderr
    last = history(tmp_path / "run")[-1]
    assert (
        f"kept epoch 5, validation accuracy {float(last['validation_accuracy']):.2%}" in done.stdout
    )
    kept = load_checkpoint(tmp_path / "run" / "best_model.pth").state_dict
    network = load_plain(tmp_path / "run" / "last.pth")["network"]
    assert all(torch.equal(kept[name], network[name]) for name in kept)


@pytest.mark.slow
def test_patience_ends_the_run_early(data: Path, tmp_path: Path) -> None:
    # Without learning, accuracy stays where it is once BatchNorm has seen the images.
    config = write_config(tmp_path, epochs=30, patience=2, lr=1e-12, warmup_epochs=0, ema=0.0)
    done = train("--data", data, "--out", tmp_path / "run", config=config)
    assert done.returncode == 0, done.stderr
    accuracies = [float(epoch["validation_accuracy"]) for epoch in history(tmp_path / "run")]
    assert len(accuracies) == accuracies.index(max(accuracies)) + 3 < 30


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--data", "/nowhere"], ["/nowhere/train", "backend/prepare.py"]),
        (["--model", "resnet9000"], ["resnet9000", "emotion_cnn", "se_resnet"]),
        (["--lr", "fast"], ["lr", "'fast'"]),
        (["--epochs", "0"], ["epochs", "'0'"]),
        (["--config", "/nowhere.yaml"], ["/nowhere.yaml"]),
        (["--resume", "/nowhere"], ["/nowhere", "config.yaml"]),
        (["--data", "{data}", "--device", "cuda"], ["cuda"]),
        (["--out", "{data}/train/sad/train_sad_0000.png"], ["is a file"]),
        (
            ["--data", "{data}", "--model", "emotion_cnn", "--progressive-epochs", "1"],
            ["progressive_epochs"],
        ),
        (["--data", "{data}", "--input-size", "8"], ["input_size", "16"]),
        (["--data", "{data}", "--ferplus-weight", "1"], ["FER+", "ferplus.csv"]),
        (["--data", "{data}", "--batch-size", "4096"], ["4096", "fewer than one batch"]),
    ],
)
def test_a_users_mistake_is_named(
    data: Path, tmp_path: Path, args: list[str], expected: list[str]
) -> None:
    if "cuda" in args and torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    command = [a.format(data=data) for a in args]
    if "--resume" not in args and "--out" not in args:
        command += ["--out", str(tmp_path / "run")]
    done = train(*command)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for text in expected:
        assert text in done.stderr


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    data = make_face_folder(tmp_path / "data", sizes={"train": 40, "validation": 4})
    broken = sorted((data / "train" / "sad").iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:60])
    done = train("--data", data, "--out", tmp_path / "run", config=write_config(tmp_path, epochs=1))
    assert done.returncode == 2
    assert broken.name in done.stderr
    assert "Traceback" not in done.stderr


def test_images_of_one_colour_are_refused(tmp_path: Path) -> None:
    data = make_face_folder(tmp_path / "data", sizes={"train": 14, "validation": 7})
    for path in (data / "train").rglob("*.png"):
        Image.new("L", (48, 48), 90).save(path)
    done = train("--data", data, "--out", tmp_path / "run", config=write_config(tmp_path, epochs=1))
    assert done.returncode == 2
    assert f"{data}: the training images are all of one colour" in done.stderr
    assert "Traceback" not in done.stderr


def test_lists_the_architectures() -> None:
    done = train("--list-models")
    assert done.returncode == 0
    assert "emotion_cnn" in done.stdout
    assert "se_resnet" in done.stdout


def test_a_run_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    (tmp_path / "last.pth").write_bytes(b"a run")
    done = train("--data", data, "--out", tmp_path)
    assert done.returncode == 2
    assert "--resume" in done.stderr
    assert (tmp_path / "last.pth").read_bytes() == b"a run"
