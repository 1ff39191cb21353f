"""Labelled folders become training data."""

from pathlib import Path

import numpy as np
import pytest
from faces_data import make_face_folder

from utils.emotions import EMOTIONS
from utils.errors import DataError
from utils.files import part_of
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import class_order, load_split
from utils.training.data import measure_normalization

SPEC = Preprocessing(input_size=32)
HEADER = "image,split,angry,disgust,fear,happy,neutral,sad,surprise,contempt,unknown,nf\n"


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    """All seven classes, four training images each, with votes for two of the images."""
    drawn = dict.fromkeys(EMOTIONS, "happy")
    root = make_face_folder(tmp_path / "data", drawn, {"train": 4})
    (root / "ferplus.csv").write_text(
        HEADER
        + "train_happy_0000.png,train,0,0,0,6,2,1,0,0,1,0\n"
        + "train_sad_0001.png,train,0,0,0,0,0,1,0,8,1,0\n"
    )
    return root


def test_classes_keep_the_order_of_the_emotions(seven: Path) -> None:
    folder = load_split(seven, "train", preprocessing=SPEC)
    assert folder.classes == EMOTIONS
    assert folder.counts() == dict.fromkeys(EMOTIONS, 4)
    assert folder.labels.tolist() == sorted(list(range(7)) * 4)


def test_other_classes_are_in_alphabetical_order() -> None:
    assert class_order({"smile", "frown", "happy"}) == ("frown", "happy", "smile")
    assert class_order({"sad", "happy"}) == ("happy", "sad")


def test_votes_become_targets_and_the_rest_keeps_its_label(seven: Path) -> None:
    folder = load_split(seven, "train", preprocessing=SPEC)
    names = [p.name for p in folder.paths]
    targets = folder.targets(1.0)
    happy, neutral = EMOTIONS.index("happy"), EMOTIONS.index("neutral")
    # The single vote for sad is a slip and left out.
    voted = targets[names.index("train_happy_0000.png")]
    assert voted[happy] == pytest.approx(0.75)
    assert voted[neutral] == pytest.approx(0.25)
    unvoted = targets[names.index("train_fear_0000.png")]
    assert unvoted.tolist() == [0, 0, 1, 0, 0, 0, 0]
    half = folder.targets(0.5)[names.index("train_happy_0000.png")]
    assert half[happy] == pytest.approx(0.875)
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-5, atol=1e-8)


def test_images_without_a_majority_for_an_emotion_have_no_label(seven: Path) -> None:
    folder = load_split(seven, "train", preprocessing=SPEC)
    majority = folder.ferplus_majority()
    assert majority is not None
    names = [p.name for p in folder.paths]
    assert majority[names.index("train_happy_0000.png")] == EMOTIONS.index("happy")
    assert majority[names.index("train_sad_0001.png")] == -1
    assert majority[names.index("train_fear_0000.png")] == -1


def test_cached_and_decoded_batches_are_the_same(seven: Path) -> None:
    cached, decoded = (
        load_split(seven, "train", preprocessing=SPEC),
        load_split(seven, "train", preprocessing=SPEC),
    )
    assert cached.cache(1.0)
    assert not decoded.cache(1e-9)
    chosen = np.array([5, 0, 9])
    assert cached.batch(chosen).dtype == np.uint8
    assert cached.batch(chosen).shape == (3, 1, 32, 32)
    np.testing.assert_array_equal(cached.batch(chosen), decoded.batch(chosen))


def test_votes_of_another_split_are_not_taken(seven: Path) -> None:
    text = (seven / "ferplus.csv").read_text()
    (seven / "ferplus.csv").write_text(text.replace(",train,", ",test,"))
    folder = load_split(seven, "train", preprocessing=SPEC)
    assert folder.votes is None
    with pytest.raises(DataError, match="no FER\\+ votes"):
        folder.targets(1.0)


def test_every_damaged_image_is_named_at_once(seven: Path) -> None:
    for name in ("fear", "sad"):
        (seven / "train" / name / f"train_{name}_0001.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"2 images.*train_fear_0001\.png.*train_sad_0001\.png"):
        load_split(seven, "train", preprocessing=SPEC).cache(1.0)


def test_a_file_that_is_being_written_is_no_image(seven: Path) -> None:
    before = load_split(seven, "train", preprocessing=SPEC).paths
    part_of(seven / "train" / "sad" / "new.png").write_bytes(b"half")
    assert load_split(seven, "train", preprocessing=SPEC).paths == before


def test_fingerprint_follows_content(seven: Path) -> None:
    before = load_split(seven, "train", preprocessing=SPEC).fingerprint()
    assert load_split(seven, "train", preprocessing=SPEC).fingerprint() == before
    path = seven / "train" / "sad" / "train_sad_0000.png"
    path.write_bytes((seven / "train" / "fear" / "train_fear_0000.png").read_bytes())
    assert load_split(seven, "train", preprocessing=SPEC).fingerprint() != before


def test_normalisation_is_measured() -> None:
    pixels = np.zeros((10, 1, 8, 8), np.uint8)
    pixels[5:] = 255
    mean, std = measure_normalization(pixels)
    assert mean == (0.5,)
    assert std[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", "no such folder"),
        ("one class", "two or more classes"),
        ("empty", "no images"),
        ("other classes", "not among"),
        ("bad votes", "line 2"),
        ("no column", "lacks the columns"),
    ],
)
def test_malformed_data_is_named(seven: Path, tmp_path: Path, change: str, message: str) -> None:
    root, classes = seven, None
    if change == "missing":
        root = tmp_path / "nowhere"
    elif change == "one class":
        root = make_face_folder(tmp_path / "one", {"happy": "happy"}, {"train": 2})
    elif change == "empty":
        for name in ("a", "b"):
            (tmp_path / "empty" / "train" / name).mkdir(parents=True)
        root = tmp_path / "empty"
    elif change == "other classes":
        classes = EMOTIONS[:3]
    elif change == "bad votes":
        (seven / "ferplus.csv").write_text(HEADER + "a.png,train,0,x,0,6,2,1,0,0,1,0\n")
    else:
        (seven / "ferplus.csv").write_text("image,angry\na.png,1\n")
    with pytest.raises(DataError, match=message):
        load_split(root, "train", preprocessing=SPEC, classes=classes)


def test_preprocessing_for_training_and_for_use_is_the_same(seven: Path) -> None:
    folder = load_split(seven, "train", preprocessing=SPEC)
    crop = np.repeat(folder.batch(np.array([3])).transpose(0, 2, 3, 1), 3, axis=3)
    np.testing.assert_allclose(SPEC(crop), SPEC.normalize(folder.batch(np.array([3]))), atol=1e-6)
