"""A run that was interrupted ends like one that was not, whatever it learns from."""

import threading
from pathlib import Path

import pytest
import torch
from faces_data import make_face_folder
from threads import running, wait_until

from utils.errors import ImageError
from utils.model.plain_file import load_plain
from utils.training.config import TrainConfig
from utils.training.data import load_data
from utils.training.trainer import LAST, Trainer

# Everything with randomness or state of its own; images are read in every epoch.
OPTIONS = {
    "model": "se_resnet",
    "model_args": {"stem": 4, "channels": [8, 8], "blocks": 1, "dropout": 0.2},
    "input_size": 32, "batch_size": 24, "epochs": 6, "schedule": "onecycle", "patience": 0,
    "ema": 0.9, "augmentation": "sharpness", "mixup": 0.2, "cutmix": 0.5, "cache_gb": 0,
    "progressive_size": 24, "progressive_epochs": 4, "device": "cpu",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """A run that also learns from a teacher, and from unlabelled images."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = make_face_folder(tmp_path / "data", sizes={"train": 40, "validation": 8})
    unlabelled = make_face_folder(tmp_path / "faces", sizes={"train": 8})
    options = OPTIONS | {"data": data}
    teacher = TrainConfig.from_flat(options | {"epochs": 1})
    Trainer(teacher, load_data(teacher), out=tmp_path / "teacher", show_progress=False).fit()
    teacher_path = tmp_path / "teacher" / "best_model.pth"
    return TrainConfig.from_flat(options | {"distill": str(teacher_path), "unlabelled": unlabelled})


def train(config: TrainConfig, out: Path, *, resume: bool = False) -> None:
    trainer = Trainer(config, load_data(config), out=out, show_progress=False)
    if resume:
        trainer.resume()
    trainer.fit()


def assert_equal(a: object, b: object, name: str) -> None:
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), name
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), name
        for key in a.keys() - {"seconds", "images_per_second"}:
            assert_equal(a[key], b[key], f"{name}.{key}")
    elif isinstance(a, list | tuple):
        for i, (left, right) in enumerate(zip(a, b, strict=True)):
            assert_equal(left, right, f"{name}.{i}")
    else:
        assert a == b, name


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_same_end(config: TrainConfig, tmp_path: Path) -> None:
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    train(config, whole)
    image = next((config.data / "train" / "sad").iterdir())
    content = image.read_bytes()

    def damage() -> None:
        wait_until((interrupted / LAST).exists)
        image.write_bytes(content[:40])

    damaging = threading.Thread(target=damage)
    damaging.start()
    with pytest.raises(ImageError, match=image.name):
        train(config, interrupted)
    damaging.join()
    assert not running("batches")
    image.write_bytes(content)
    finished = len(load_plain(interrupted / LAST)["progress"]["history"])
    assert 1 <= finished < 6, "the run was not interrupted in the middle"
    train(config, interrupted, resume=True)
    assert_equal(load_plain(whole / LAST), load_plain(interrupted / LAST), "state")
    one, two = (load_plain(run / "best_model.pth") for run in (whole, interrupted))
    assert_equal(one["state_dict"], two["state_dict"], "weights")
