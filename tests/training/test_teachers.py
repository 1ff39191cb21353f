"""Teachers predict once for the same images, and teach without labels."""

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from faces_data import draw_face, make_face_folder

from utils.errors import ConfigError, DataError, ImageError
from utils.evaluation.predict import predict_logits
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from utils.model.plain_file import load_plain, save_atomically
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head
from utils.processing.face_images import FaceImages, load_faces
from utils.training.config import AugmentationConfig, TargetConfig, TrainConfig
from utils.training.data import load_data
from utils.training.loader import BatchLoader
from utils.training.targets import unlabelled_targets
from utils.training.teachers import cache_folder, mean_predictions
from utils.training.trainer import Trainer

CLASSES = ("happy", "sad", "surprise")
SPEC = Preprocessing(input_size=32)
SMALL = {"stem": 4, "channels": [8, 8], "blocks": 1}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the user's that only this test has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder().is_relative_to(tmp_path)
    return cache_folder()


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder of faces without labels, some of them in subfolders."""
    rng = np.random.default_rng(1)
    for i, name in enumerate(("a.png", "b/c.png", "b/d/e.png", "b/d/f.jpg", "g.png")):
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), draw_face(CLASSES[i % 3], rng))
    return tmp_path / "faces"


def save_teacher(path: Path, seed: int = 0, heads: tuple[Head, ...] = (Head(),)) -> Path:
    torch.manual_seed(seed)
    args = SMALL | {"num_classes": len(CLASSES) * len(heads), "input_size": 32}
    checkpoint = Checkpoint(
        model="se_resnet", model_args=args, classes=CLASSES, preprocessing=SPEC, heads=heads,
        state_dict=build_model("se_resnet", **args).state_dict(),
    )  # fmt: skip
    save_checkpoint(checkpoint, path)
    return path


def predict(*teachers: Path, faces: Path) -> dict[str, torch.Tensor]:
    images = load_faces(faces, preprocessing=replace(SPEC, mean=(0.2,)))
    return mean_predictions(teachers, images, classes=CLASSES, device=CPU)


def test_the_prediction_is_the_mean_of_calibrated_teachers(tmp_path: Path, faces: Path) -> None:
    heads = (Head(temperature=0.5), Head(temperature=2.0))
    paths = [save_teacher(tmp_path / f"{i}.pth", i, heads=(heads[i],)) for i in range(2)]
    expected = []
    for path, head in zip(paths, heads, strict=True):
        network = load_checkpoint(path).build()
        images = load_faces(faces, preprocessing=SPEC)
        logits = predict_logits(network, images, device=CPU, average="flip")
        expected.append(torch.softmax(logits / head.temperature, 1))
    (predictions,) = predict(*paths, faces=faces).values()
    torch.testing.assert_close(predictions, torch.stack(expected).mean(0))


def test_predictions_are_made_once(tmp_path: Path, faces: Path, cache: Path) -> None:
    teacher = save_teacher(tmp_path / "a.pth")
    first = predict(teacher, faces=faces)["labels"]
    (stored,) = cache.iterdir()
    assert torch.equal(predict(teacher, faces=faces)["labels"], first)
    # What is stored is what is used, whatever the teacher would say.
    save_atomically({"logits": torch.zeros(5, 3)}, stored)
    assert torch.equal(predict(teacher, faces=faces)["labels"], torch.full((5, 3), 1 / 3))


def test_a_calibration_counts_without_another_prediction(
    tmp_path: Path, faces: Path, cache: Path
) -> None:
    plain = predict(save_teacher(tmp_path / "a.pth"), faces=faces)["labels"]
    sharper = save_teacher(tmp_path / "b.pth", heads=(Head(temperature=0.5),))
    expected = plain**2 / (plain**2).sum(1, keepdim=True)
    torch.testing.assert_close(predict(sharper, faces=faces)["labels"], expected)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("change", ["weights", "preprocessing", "image", "one more image"])
def test_other_circumstances_are_predicted_anew(
    tmp_path: Path, faces: Path, cache: Path, change: str
) -> None:
    teacher = save_teacher(tmp_path / "a.pth")
    predict(teacher, faces=faces)
    if change == "weights":
        save_teacher(teacher, seed=1)
    elif change == "preprocessing":
        checkpoint = load_checkpoint(teacher)
        checkpoint.preprocessing = replace(SPEC, std=(0.4,))
        save_checkpoint(checkpoint, teacher)
    else:
        name = "a.png" if change == "image" else "new.png"
        cv2.imwrite(str(faces / name), np.full((32, 32), 99, np.uint8))
    predict(teacher, faces=faces)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["flipped bit", "truncated", "empty", "other shape", "no zip"])
def test_damaged_predictions_are_made_again(
    tmp_path: Path, faces: Path, cache: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    teacher = save_teacher(tmp_path / "a.pth")
    expected = predict(teacher, faces=faces)["labels"]
    (stored,) = cache.iterdir()
    content = stored.read_bytes()
    if damage == "flipped bit":
        logits = load_plain(stored)["logits"].numpy().tobytes()
        at = content.index(logits)
        stored.write_bytes(content[: at + 2] + bytes([content[at + 2] ^ 64]) + content[at + 3 :])
    elif damage == "other shape":
        save_atomically({"logits": torch.zeros(2, 3)}, stored)
    else:
        cut = {"truncated": content[:-200], "empty": b"", "no zip": b"text"}
        stored.write_bytes(cut[damage])
    assert torch.equal(predict(teacher, faces=faces)["labels"], expected)
    assert stored.name in caplog.text
    torch.testing.assert_close(load_plain(stored)["logits"].softmax(1), expected)
    assert [path.name for path in cache.iterdir()] == [stored.name]


def test_without_a_writable_cache_training_goes_on(
    tmp_path: Path, faces: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        predictions = predict(save_teacher(tmp_path / "a.pth"), faces=faces)
    assert predictions["labels"].shape == (5, 3)
    assert "can't be kept" in caplog.text


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_face_folder(tmp_path / "data", sizes={"train": 10, "validation": 2})


def config(data: Path, faces: Path, **options: object) -> TrainConfig:
    flat = {
        "model": "se_resnet", "model_args": SMALL, "input_size": 32, "batch_size": 8, "epochs": 1,
        "device": "cpu", "data": data, "unlabelled": faces,
    }  # fmt: skip
    return TrainConfig.from_flat(flat | options)


@pytest.mark.parametrize("cache_gb", [4, 0])
def test_every_epoch_holds_labelled_and_unlabelled_images_once(
    data: Path, faces: Path, cache_gb: float
) -> None:
    splits = load_data(config(data, faces, distill="a.pth", cache_gb=cache_gb))
    sets: list[FaceImages] = [splits.train, splits.unlabelled]  # type: ignore[list-item]
    numbers = torch.arange(35.0)[:, None]
    loader = BatchLoader(
        sets, numbers, augmentation=AugmentationConfig(preset="none"), batch_size=7, device=CPU
    )
    preprocessing = splits.train.preprocessing
    pixels = np.concatenate([images.batch(np.arange(len(images))) for images in sets])
    seen = []
    for images, targets in loader.epoch(1):
        for image, number in zip(images, targets.flatten().int().tolist(), strict=True):
            expected = preprocessing.normalize(pixels[number : number + 1])[0]
            np.testing.assert_allclose(image.numpy(), expected, atol=1e-5)
            seen.append(number)
    assert sorted(seen) == list(range(35))


def test_the_checkpoint_describes_labelled_images_and_counts_the_others(
    tmp_path: Path, data: Path, faces: Path
) -> None:
    teacher = save_teacher(tmp_path / "a.pth")
    chosen = config(data, faces, distill=str(teacher))
    trainer = Trainer(chosen, load_data(chosen), out=tmp_path, show_progress=False)
    trainer.fit()
    checkpoint = trainer.checkpoint()
    assert checkpoint.data["unlabelled"] == 5
    assert checkpoint.data["train"] == dict.fromkeys(CLASSES, 10)
    assert checkpoint.heads[0].prior == pytest.approx([1 / 3] * 3, abs=1e-4)
    # 30 labelled images alone would give three batches of 8.
    (epoch,) = trainer.history.epochs
    assert epoch.images_per_second * epoch.seconds == pytest.approx(4 * 8)


def test_a_head_that_no_teacher_has_is_named(tmp_path: Path, faces: Path) -> None:
    teacher = save_teacher(tmp_path / "a.pth", heads=(Head("perceived"),))
    targets = TargetConfig(
        ferplus_weight=1.0, benchmark_head=True, distill=(teacher,), unlabelled=faces
    )
    images = load_faces(faces, preprocessing=SPEC)
    with pytest.raises(ConfigError, match=r"unlabelled.*'fer2013'"):
        unlabelled_targets(targets, images, classes=CLASSES, device=CPU)
    alone = targets.model_copy(update={"benchmark_head": False})
    rows = unlabelled_targets(alone, images, classes=CLASSES, device=CPU)
    torch.testing.assert_close(rows.sum(1), torch.ones(5))


def test_unusable_faces_are_named(tmp_path: Path, data: Path, faces: Path) -> None:
    broken = faces / "b" / "d" / "e.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(DataError, match=r"1 images can't be used.*b/d/e\.png"):
        load_data(config(data, faces, distill="a.pth"))
    with pytest.raises(ImageError, match="nowhere: no such folder"):
        load_data(config(data, tmp_path / "nowhere", distill="a.pth"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: the folder contains no images"):
        load_data(config(data, tmp_path / "empty", distill="a.pth"))
