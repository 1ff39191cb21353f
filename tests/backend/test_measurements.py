"""The measuring programs: their configurations, and how they evaluate what they measured."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from programs import run_program

from backend.measurements import measure_crop, measure_detection, measure_quality, measure_smoothing
from backend.measurements.measure_detection import FaceMatch, compose_frames
from backend.measurements.measure_smoothing import FORMS, count_flips, delay, smoothed_labels
from utils.errors import ConfigError, DataError


def test_command_lines_become_configurations() -> None:
    crop = measure_crop.parse_args(
        ["--data", "faces", "--detector", "haar", "--samples", "5", "--write", "m.pth"]
    )
    assert crop == measure_crop.MeasureCropConfig(
        data=Path("faces"), detector="haar", samples=5, write=Path("m.pth")
    )
    assert measure_detection.parse_args(["photos"]) == measure_detection.MeasureDetectionConfig(
        folder=Path("photos")
    )
    assert measure_quality.parse_args([]) == measure_quality.MeasureQualityConfig()
    smoothing = measure_smoothing.parse_args(["--clips", "3", "--interval", "6"])
    assert smoothing == measure_smoothing.MeasureSmoothingConfig(clips=3, interval=6)
    assert smoothing.step == pytest.approx(0.2)


def test_impossible_options_are_refused() -> None:
    for parse, args in (
        (measure_crop.parse_args, "--data x --samples 0"),
        (measure_detection.parse_args, "x --photos 0"),
        (measure_smoothing.parse_args, "--clips 0"),
        (measure_smoothing.parse_args, "--interval 0"),
    ):
        with pytest.raises(ConfigError, match="must be at least 1, not 0"):
            parse(args.split())


def test_delay_and_flips_of_labels() -> None:
    labels = np.array([0] * 10 + [0, 0, 1, 0, 1, 1, 1, 1, 1, 1])
    assert delay(labels, 0.1) == pytest.approx(0.2)
    assert count_flips(labels) == 2
    assert count_flips(np.array([0, 1, 0, 0, 0, 1, 1, 1, 1, 1])) == 2, "but not the change itself"


def test_raw_labels_are_the_most_probable_classes() -> None:
    clip = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)
    assert smoothed_labels(clip, FORMS["raw"], step=0.1).tolist() == [0, 1, 0]


def test_frames_are_grids_of_photos(tmp_path: Path) -> None:
    for number in range(13):
        Image.new("RGB", (60, 60), (number * 10, 0, 0)).save(tmp_path / f"{number:02d}.png")
    (frame,) = compose_frames(sorted(tmp_path.iterdir()), (4, 3))
    assert frame.shape == (480, 640, 3)
    assert frame[5, 5].tolist() == [0, 0, 0]
    assert frame[5, 165].tolist() == [10, 0, 0]
    assert frame[170, 170].tolist() == [50, 0, 0]


@pytest.mark.slow
def test_an_unreadable_photo_is_named_and_fails_the_measurement(
    astronaut_jpg: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(astronaut_jpg.read_bytes())
    (tmp_path / "b.png").write_text("no image")
    done = run_program("measurements/measure_detection", tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("b.png is a text file, not an image") == 1
    assert "| 48 or more | 1 |" in done.stdout


def test_matches_become_a_table() -> None:
    table = measure_detection.table([FaceMatch(50, 0.8, 4.0), FaceMatch(70, 0.2, 6.0)])
    rows = table.splitlines()
    assert rows[2] == "| 48 or more | 2 | 50.0% | 0.800 |"
    assert rows[3] == "| 48 to 64 | 1 | 100.0% | 0.800 |"
    assert rows[4] == "| 64 to 96 | 1 | 0.0% | – |"
    assert rows[-1] == "5.0 ms per frame (median)"


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no photos"):
        measure_detection.measure(measure_detection.MeasureDetectionConfig(folder=tmp_path))
