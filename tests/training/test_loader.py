"""Batches are made ahead in a thread: the same ones every time, and its errors reach the caller."""

from contextlib import closing
from pathlib import Path

import pytest
import torch
from faces_data import make_face_folder
from threads import running

from utils.errors import ImageError
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import FaceDataset, load_split
from utils.training.config import AugmentationConfig
from utils.training.loader import BatchLoader


@pytest.fixture
def faces(tmp_path: Path) -> FaceDataset:
    """Thirty images that are not cached."""
    data = make_face_folder(tmp_path / "data", sizes={"train": 10})
    return load_split(data, "train", preprocessing=Preprocessing(input_size=32))


def loader(faces: FaceDataset, **augmentation: object) -> BatchLoader:
    return BatchLoader(
        [faces],
        torch.from_numpy(faces.targets()),
        augmentation=AugmentationConfig(**{"preset": "sharpness", **augmentation}),
        batch_size=5,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("augmentation", ["sharpness", "webcam"])
def test_batches_do_not_depend_on_what_the_caller_draws(
    faces: FaceDataset, augmentation: str
) -> None:
    batches = loader(faces, preset=augmentation, progressive_size=24, progressive_epochs=1)
    torch.manual_seed(1)
    first = list(batches.epoch(1))
    torch.manual_seed(1)
    second = []
    for batch in batches.epoch(1):
        torch.rand(7)
        second.append(batch)
    assert len(first) == len(second) == 6
    for (images, targets), (others, other_targets) in zip(first, second, strict=True):
        assert images.shape == (5, 1, 24, 24)
        assert torch.equal(images, others)
        assert torch.equal(targets, other_targets)
    assert not torch.equal(first[0][0], next(batches.epoch(1))[0])


def test_mixed_batches_are_the_same_for_the_same_seed(faces: FaceDataset) -> None:
    batches = loader(faces, mixup=0.4, cutmix=1.0)
    epochs = []
    for _ in range(2):
        torch.manual_seed(1)
        epochs.append(list(batches.epoch(1)))
    for (images, targets), (others, other_targets) in zip(*epochs, strict=True):
        assert torch.equal(images, others)
        assert torch.equal(targets, other_targets)


def test_an_image_that_cannot_be_read_is_named_where_the_batches_are_used(
    faces: FaceDataset,
) -> None:
    broken = faces.paths[4]
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(ImageError, match=broken.name):
        list(loader(faces).epoch(1))
    assert not running("batches")


def test_no_thread_is_left_of_an_epoch_that_is_ended(faces: FaceDataset) -> None:
    with closing(loader(faces).epoch(1)) as batches:
        next(batches)
        assert running("batches")
    assert not running("batches")
