"""Face crops, and the measurement of how they must be framed."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from programs import run_program

from utils.errors import DataError
from utils.faces import build_detector
from utils.faces.crop import CropGeometry, crop_faces, crop_square
from utils.faces.crop_calibration import measure_crop
from utils.model.checkpoint import load_checkpoint

PLAIN = CropGeometry(1.0)


def boxes(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.fixture
def gradient() -> NDArray[np.uint8]:
    """Red grows with x, green with y."""
    y, x = np.mgrid[:100, :200]
    return np.stack([x, y, np.zeros_like(x)], 2).astype(np.uint8)


def test_square_has_the_longer_side_about_the_moved_centre() -> None:
    box = boxes((10, 20, 30, 60))[0]
    assert crop_square(box, PLAIN) == (0, 20, 40)
    assert crop_square(box, CropGeometry(1.5, 0.25, -0.5)) == (0, -10, 60)


def test_a_crop_inside_is_the_part_itself(gradient: NDArray[np.uint8]) -> None:
    (crop,) = crop_faces(gradient, boxes((50, 30, 70, 50)), geometry=PLAIN, size=20)
    np.testing.assert_array_equal(crop, gradient[30:50, 50:70])


def test_beyond_the_edge_the_edge_is_repeated(gradient: NDArray[np.uint8]) -> None:
    (crop,) = crop_faces(gradient, boxes((-10, -10, 10, 10)), geometry=PLAIN, size=20)
    np.testing.assert_array_equal(crop[10:, 10:], gradient[:10, :10])
    assert (crop[:10, :10] == gradient[0, 0]).all()
    (outside,) = crop_faces(gradient, boxes((500, 500, 520, 520)), geometry=PLAIN, size=20)
    assert (outside == gradient[-1, -1]).all()


def test_size_and_number(gradient: NDArray[np.uint8]) -> None:
    assert crop_faces(gradient, boxes(), geometry=PLAIN, size=48).shape == (0, 48, 48, 3)
    crops = crop_faces(gradient, boxes((0, 0, 100, 100), (50, 50, 60, 60)), geometry=PLAIN, size=48)
    assert crops.shape == (2, 48, 48, 3)
    assert crops.dtype == np.uint8
    assert crops[0].mean((0, 1)) == pytest.approx([49.5, 49.5, 0], abs=1)
    assert crops[1].mean((0, 1)) == pytest.approx([54.5, 54.5, 0], abs=1)


@pytest.mark.parametrize(
    "values", [{"scale": 0.0}, {"scale": -1.0}, {"scale": float("nan")}, {"scale": 1.0, "dx": 9.0}]
)
def test_impossible_geometry_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=list(values)[-1]):
        CropGeometry(**values)


def test_faces_that_do_not_fill_the_images_are_no_training_set(
    astronaut: NDArray[np.uint8],
) -> None:
    wide = np.pad(astronaut, ((100, 100), (100, 100), (0, 0)))
    measured = measure_crop(build_detector("mtcnn"), [wide])
    with pytest.raises(DataError, match="fill"):
        measured.geometry  # noqa: B018


def framed(astronaut: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the face in square frames of 150 pixels, as a training set may hold it."""
    return [np.ascontiguousarray(astronaut[40 + d : 190 + d, 150:300]) for d in (-4, 0, 4)]


def test_measured_geometry_frames_a_face_as_in_training(astronaut: NDArray[np.uint8]) -> None:
    detector = build_detector("mtcnn")
    geometry = measure_crop(detector, framed(astronaut)).geometry
    x, y, side = crop_square(detector.detect(astronaut).boxes[0], geometry)
    assert (x, y, side) == pytest.approx((150, 40, 150), abs=8)


def measure(*args: object) -> subprocess.CompletedProcess[str]:
    return run_program("measurements/measure_crop", *args)


def test_the_program_writes_what_it_measured_into_a_checkpoint(
    astronaut: NDArray[np.uint8], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    for i, image in enumerate(framed(astronaut)):
        Image.fromarray(image).save(faces / f"{i}.png")
    (faces / "broken.png").write_text("no picture")
    model = tmp_path / "model.pth"
    model.write_bytes(tiny_checkpoint.read_bytes())
    done = measure("--data", faces, "--write", model, "--json")
    assert done.returncode == 2
    assert "broken.png" in done.stderr
    figures = json.loads(done.stdout)
    assert figures["found"] == 3
    written = load_checkpoint(model).preprocessing.geometry["mtcnn"]
    assert written == CropGeometry(**figures["geometry"])
    assert 1.1 < written.scale < 1.6


def test_the_program_names_a_users_mistake(tmp_path: Path) -> None:
    for args, words in (
        (["--data", "/nowhere"], "/nowhere"),
        (["--data", tmp_path], "no images"),
        (["--data", tmp_path, "--write", "/nowhere.pth"], "/nowhere.pth"),
    ):
        done = measure(*args)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
