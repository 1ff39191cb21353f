"""Datasets that are damaged, malformed or not recognised are named, and the rest is prepared."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dataset_files import (
    csv_bytes,
    csv_line,
    image_folder,
    image_names,
    png,
    write_files,
    write_zip,
)
from paths import REPO

from utils.errors import ConfigError, DataError
from utils.processing.prepare import prepare


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (csv_line(pixels="1 2 3"), "3 pixels instead of 2304"),
        (csv_line(pixels=" ".join(["x"] * 2304)), "a pixel is 'x', not an integer"),
        (csv_line(pixels=" ".join(["1.5"] * 2304)), "a pixel is '1.5', not an integer"),
        (csv_line(pixels=" ".join(["9" * 30] * 2304)), "pixels from 999"),
        (csv_line(pixels=" ".join(["256"] * 2304)), "pixels from 256 to 256"),
        (csv_line(pixels=" ".join(["-1"] * 2304)), "pixels from -1 to -1"),
        (csv_line(emotion=7), "emotion is '7'; it must be 0 to 6"),
        (csv_line(emotion=-1), "emotion is '-1'"),
        (csv_line(emotion="happy"), "emotion is 'happy'"),
        (csv_line(emotion="1" * 5000), f"emotion is '{'1' * 20}'"),
        (csv_line(usage="Tset"), "Usage is 'Tset'"),
        ("3", "1 columns instead of 3"),
        (csv_line(pixels="1" * 200_000), "field larger than field limit"),
    ],
)
def test_malformed_row(tmp_path: Path, line: str, message: str) -> None:
    source = tmp_path / "fer2013.csv"
    source.write_bytes(csv_bytes(csv_line(), csv_line(), line, csv_line()))
    report = prepare(source, tmp_path / "out")
    assert len(report.problems) == 1
    assert report.problems[0].startswith("fer2013.csv, line 4: ")
    assert message in report.problems[0]
    # The bad row keeps its number: the next one is still called by its own.
    assert image_names(tmp_path / "out") == {f"train/happy/row000000{i}.png" for i in (0, 1, 3)}


def test_malformed_image_is_named_and_the_rest_prepared(tmp_path: Path) -> None:
    files = {**image_folder(), "train/sad/broken.png": png()[:60], "test/sad/empty.png": b""}
    report = prepare(write_files(tmp_path / "data", files), tmp_path / "out")
    assert len(report.problems) == 2
    assert "test/sad/empty.png is empty" in report.problems[0]
    assert "train/sad/broken.png is damaged" in report.problems[1]
    assert image_names(tmp_path / "out") == set(image_folder())


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    evil = {
        "../escaped.png": png(),
        "train/happy/../../../../escaped.png": png(),
        "/tmp/escaped_absolute.png": png(),
        "train/..\\..\\escaped/x.png": png(),
        "C:/train/happy/escaped.png": png(),
    }
    source = write_zip(tmp_path / "evil.zip", {**image_folder(), **evil})
    out = tmp_path / "deep/out"
    report = prepare(source, out)
    assert len([p for p in report.problems if "leads outside" in p]) == len(evil)
    assert image_names(out) == set(image_folder())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "evil.zip"]
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["out"]


def damage(data: bytes) -> bytes:
    middle = data.index(png(22)) + len(png(22)) // 2
    return data[:middle] + b"\xff" * 20 + data[middle + 20 :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[: len(data) // 2], "is damaged or not a zip archive"),
        (lambda data: b"no zip at all", "is damaged or not a zip archive"),
        (lambda data: b"", "is damaged or not a zip archive"),
    ],
    ids=["cut off", "text", "empty"],
)
def test_malformed_zip(tmp_path: Path, change: Callable[[bytes], bytes], message: str) -> None:
    source = write_zip(tmp_path / "faces.zip", image_folder())
    source.write_bytes(change(source.read_bytes()))
    with pytest.raises(DataError, match=message):
        prepare(source, tmp_path / "out")


def test_damaged_member_of_a_zip(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "faces.zip", image_folder())
    source.write_bytes(damage(source.read_bytes()))
    report = prepare(source, tmp_path / "out")
    assert len(report.problems) == 1
    assert f"can't be read from {source} (Bad CRC-32" in report.problems[0]
    assert len(image_names(tmp_path / "out")) == len(image_folder()) - 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"photo.png": png()}, "contains no dataset in a known form"),
        ({"happy/a.png": png()}, "contains no dataset in a known form"),
        ({"train.csv": b"a,b\n"}, "contains no dataset in a known form"),
        ({}, "contains no dataset in a known form"),
        ({"train/happy/a.png": b"x"}, "contains no usable image"),
        ({"fer2013.csv": csv_bytes()}, "contains no usable image"),
    ],
)
def test_unrecognised_sources_describe_the_forms(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    source = tmp_path / "data"
    source.mkdir()
    with pytest.raises(DataError, match=message) as caught:
        prepare(write_files(source, files), tmp_path / "out")
    assert "(1) fer2013.csv" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_no_partial_images(tmp_path: Path) -> None:
    source = write_files(tmp_path / "data", image_folder())
    (source / "train/sad/large.png").write_bytes(png() + bytes(5000))
    command = [sys.executable, "backend/prepare.py", str(source), "--out", str(tmp_path / "out")]
    # The system then refuses to write, as a full disk does.
    done = subprocess.run(
        command,
        cwd=REPO,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "large.png can't be written: File too large" in done.stderr
    files = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert files == {*image_folder(), "dataset.json"}


def test_wrong_arguments(tmp_path: Path) -> None:
    source = write_files(tmp_path / "data", image_folder())
    with pytest.raises(DataError, match="no such file or folder"):
        prepare(tmp_path / "missing", tmp_path / "out")
    with pytest.raises(DataError, match="is both the source and the output"):
        prepare(source, source)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file; name a folder"):
        prepare(source, tmp_path / "file")
    with pytest.raises(DataError, match="is not a dataset"):
        prepare(tmp_path / "file", tmp_path / "out")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="must name the columns emotion, pixels and Usage"):
        prepare(tmp_path / "other.csv", tmp_path / "out")
