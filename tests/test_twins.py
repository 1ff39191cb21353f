"""Twins of training images are found, and only they."""

from pathlib import Path

import cv2
import numpy as np
from faces_data import make_face_folder

from utils.preprocessing import Preprocessing
from utils.processing import load_split
from utils.twins import find_twins


def test_near_copies_are_twins_and_other_faces_are_not(tmp_path: Path) -> None:
    root = make_face_folder(tmp_path, sizes={"train": 6, "test": 3})
    source = cv2.imread(str(root / "train/sad/train_sad_0002.png"), cv2.IMREAD_GRAYSCALE)
    assert source is not None
    noise = np.random.default_rng(0).integers(-2, 3, source.shape)
    near = np.clip(source.astype(int) + noise, 0, 255).astype(np.uint8)
    far = np.clip(source.astype(int) + 8, 0, 255).astype(np.uint8)
    cv2.imwrite(str(root / "test/sad/near.png"), near)
    cv2.imwrite(str(root / "test/sad/far.png"), far)
    spec = Preprocessing(input_size=32)
    test = load_split(root, "test", spec)
    twins = find_twins(load_split(root, "train", spec), test)
    assert [p.name for p, twin in zip(test.paths, twins, strict=True) if twin] == ["near.png"]
