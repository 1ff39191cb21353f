"""The checkpoint: round trip, safety, and a clear word about every kind of wrong file."""

import os
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from utils.errors import CheckpointError
from utils.faces.crop import CropGeometry
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from utils.model.plain_file import save_atomically
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head

SMALL = {"num_classes": 3, "input_size": 32, "stem": 4, "channels": [8, 8], "blocks": 1}

HEAD = asdict(Head(prior=(0.2, 0.3, 0.5)))


def make_checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    return Checkpoint(
        model="se_resnet",
        model_args=SMALL,
        classes=("a", "b", "c"),
        preprocessing=Preprocessing(
            32, "grey", (0.4,), (0.2,), {"haar": CropGeometry(1.2, 0, 0.1)}
        ),
        state_dict=build_model("se_resnet", **SMALL).state_dict(),
        heads=(Head("perceived", "votes", 1.5, 0.4, (0.5, 0.3, 0.2), 0.25),),
        training={"epochs": 3},
        metrics={"validation": {"folder": {"accuracy": 0.5}}},
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.pth"
    save_checkpoint(make_checkpoint(), path)
    return path


def test_everything_comes_back(saved: Path) -> None:
    before, after = make_checkpoint(), load_checkpoint(saved)
    for name in ("model", "model_args", "classes", "preprocessing", "heads"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.metrics == before.metrics
    assert torch.__version__.startswith(after.versions["torch"])
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(after.build()(images), before.build()(images))
    assert not after.build().training


def test_a_file_cut_anywhere_is_refused_in_words(saved: Path, tmp_path: Path) -> None:
    data, cut = saved.read_bytes(), tmp_path / "cut.pth"
    for length in [*range(0, len(data), len(data) // 40), len(data) - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"cut\.pth"):
            load_checkpoint(cut)


def test_one_changed_byte_in_the_weights_is_noticed(saved: Path) -> None:
    weights = load_checkpoint(saved).state_dict["fc.weight"].numpy().tobytes()
    data = bytearray(saved.read_bytes())
    data[data.index(weights) + 5] ^= 0x55
    saved.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"model\.pth: damaged"):
        load_checkpoint(saved)


class Malicious:
    """Pickled, it would make a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    torch.save({"format": "emotion-checkpoint", "x": Malicious(trace)}, path)
    with pytest.raises(CheckpointError, match="code"):
        load_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"hello, I am text", b"PK\x03\x04 no zip", bytes(5000)])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        load_checkpoint(path)


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        load_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        load_checkpoint(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such model file"):
        load_checkpoint(tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match="is a folder, not a model file"):
        load_checkpoint(tmp_path)


def test_another_format_is_refused(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    save_atomically(content | {"format_version": 99}, saved)
    with pytest.raises(CheckpointError, match="format 99"):
        load_checkpoint(saved)
    del content["classes"]
    save_atomically(content, saved)
    with pytest.raises(CheckpointError, match=r"incomplete.*classes"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", []),
        ("classes", ["a", "a", "b"]),
        ("classes", 5),
        ("preprocessing", 3),
        ("heads", []),
        ("heads", [HEAD | {"temperature": 0.0}]),
        ("heads", [HEAD | {"temperature": "warm"}]),
        ("heads", [HEAD | {"threshold": 2.0}]),
        ("heads", [HEAD | {"prior_correction": -1.0}]),
        ("heads", [HEAD | {"prior": [0.5, 0.5]}]),
        ("heads", [HEAD | {"prior": [0.5, 0.5, -0.1]}]),
        ("heads", [HEAD, HEAD]),
        ("model_args", None),
        ("state_dict", [1]),
    ],
)
def test_impossible_values_are_refused(saved: Path, name: str, value: object) -> None:
    save_atomically(torch.load(saved, weights_only=True) | {name: value}, saved)
    with pytest.raises(CheckpointError, match=r"model\.pth.*wrong"):
        load_checkpoint(saved)


def test_another_number_of_classes_is_refused() -> None:
    checkpoint = make_checkpoint()
    checkpoint.classes = ("a", "b")
    with pytest.raises(CheckpointError, match="2 classes and 1 heads for a network of 3 outputs"):
        checkpoint.build()


def test_weights_of_another_architecture_are_refused() -> None:
    checkpoint = make_checkpoint()
    checkpoint.model = "emotion_cnn"
    checkpoint.model_args = {"num_classes": 3, "input_size": 32}
    with pytest.raises(CheckpointError, match="do not fit architecture emotion_cnn"):
        checkpoint.build()
    checkpoint.model = "future_net"
    with pytest.raises(CheckpointError, match="future_net"):
        checkpoint.build()


def test_a_failing_save_leaves_the_old_file(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(AttributeError):
        save_atomically({"x": lambda: None}, saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]
