"""Near-duplicates of training images are found, and nothing else."""

from pathlib import Path

import cv2
import numpy as np
from faces_data import make_face_folder
from programs import run_program

from backend.prepare import parse_args
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.processing.near_duplicates import find_near_duplicates


def test_slightly_changed_copies_are_found_and_other_faces_are_not(tmp_path: Path) -> None:
    root = make_face_folder(tmp_path, sizes={"train": 6, "test": 3})
    source = cv2.imread(str(root / "train/sad/train_sad_0002.png"), cv2.IMREAD_GRAYSCALE)
    assert source is not None
    noise = np.random.default_rng(0).integers(-2, 3, source.shape)
    near = np.clip(source.astype(int) + noise, 0, 255).astype(np.uint8)
    far = np.clip(source.astype(int) + 8, 0, 255).astype(np.uint8)
    cv2.imwrite(str(root / "test/sad/near.png"), near)
    cv2.imwrite(str(root / "test/sad/far.png"), far)
    spec = Preprocessing(input_size=32)
    test = load_split(root, "test", preprocessing=spec)
    duplicates = find_near_duplicates(load_split(root, "train", preprocessing=spec), test)
    assert [p.name for p, found in zip(test.paths, duplicates, strict=True) if found] == [
        "near.png"
    ]


def test_the_former_option_still_works() -> None:
    assert parse_args(["--find-twins", "images"]) == parse_args(
        ["--find-near-duplicates", "images"]
    )


def test_the_program_lists_the_pairs(tmp_path: Path) -> None:
    data = make_face_folder(tmp_path / "data", sizes={"train": 3, "validation": 2, "test": 2})
    original = data / "train/sad/train_sad_0001.png"
    (data / "test/happy/test_happy_0000.png").write_bytes(original.read_bytes())
    table = tmp_path / "pairs.csv"
    done = run_program("prepare", "--find-near-duplicates", data, "--list", table)
    assert done.returncode == 0, done.stderr
    assert "validation: 0 of 6 images have a near-duplicate in train" in done.stdout
    assert (
        "test: 1 of 6 images have a near-duplicate in train, 0 with the same label" in done.stdout
    )
    header, row = table.read_text().splitlines()
    assert header == "image,twin,rms"
    assert row.endswith(f"test_happy_0000.png,{original},0.00")
