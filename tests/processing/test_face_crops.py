"""The faces of photos become a flat folder of images."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from programs import run_program

from utils.faces import build_detector
from utils.faces.crop import DEFAULT_GEOMETRY, crop_faces
from utils.model.preprocessing import Preprocessing
from utils.processing.face_images import load_faces


@pytest.fixture
def photos(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    """Photos at two depths: one face, two faces, none, and a damaged file."""
    root = tmp_path / "photos"
    (root / "album").mkdir(parents=True)
    face = Image.fromarray(astronaut).crop((96, 0, 352, 256))
    face.save(root / "one.png")
    face.save(root / "one.jpg")
    two = Image.new("RGB", (512, 256))
    two.paste(face, (0, 0))
    two.paste(face, (256, 0))
    two.save(root / "album" / "two.png")
    Image.new("RGB", (200, 200), "white").save(root / "album" / "wall.png")
    content = (root / "one.png").read_bytes()
    (root / "broken.png").write_bytes(content[: len(content) // 2])
    return root


def test_every_face_is_written_and_other_photos_are_named(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces"
    done = run_program("prepare", "--faces", photos, "--out", out, "--size", 96, "--quiet")
    assert done.returncode == 2, "a photo is damaged"
    assert "4 faces of 5 photos written" in done.stdout
    assert "1 photos without a face" in done.stdout
    assert str(photos / "album" / "wall.png") in done.stdout
    assert "broken.png" in done.stderr
    assert "Traceback" not in done.stderr
    names = ["album_two_0.png", "album_two_1.png", "one-2_0.png", "one_0.png"]
    assert sorted(path.name for path in out.iterdir()) == names

    image = np.asarray(Image.open(photos / "one.png"))
    detector = build_detector()
    geometry = DEFAULT_GEOMETRY[detector.name]
    (expected,) = crop_faces(image, detector.detect(image).boxes, geometry=geometry, size=96)
    assert np.array_equal(np.asarray(Image.open(out / "one-2_0.png")), expected)
    assert len(load_faces(out, preprocessing=Preprocessing())) == 4


def test_photos_that_all_can_be_read_end_well(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").unlink()
    for _ in range(2):  # again, over what is there
        done = run_program("prepare", "--faces", photos, "--out", tmp_path / "faces", "--quiet")
        assert done.returncode == 0, done.stderr
    assert {Image.open(path).size for path in (tmp_path / "faces").iterdir()} == {(160, 160)}
    assert len(list((tmp_path / "faces").iterdir())) == 4


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--faces", "{photos}"], "--out"),
        (["--faces", "{photos}", "--out", "{photos}/faces"], "lies within the photos"),
        (["--faces", "{photos}", "--out", "{photos}"], "lies within the photos"),
        (["--faces", "/nowhere", "--out", "{tmp}/x"], "/nowhere: no such folder"),
        (["--faces", "{tmp}/empty", "--out", "{tmp}/x"], "contains no images"),
        (["--faces", "{photos}", "--out", "{tmp}/x", "--size", "0"], "at least 1 pixel"),
        (["--faces", "{photos}/album", "--out", "{photos}/one.png"], "one.png: is a file"),
    ],
)
def test_a_mistake_is_named(photos: Path, tmp_path: Path, args: list[str], message: str) -> None:
    (tmp_path / "empty").mkdir()
    done = run_program("prepare", *(a.format(photos=photos, tmp=tmp_path) for a in args), "--quiet")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
