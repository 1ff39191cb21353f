"""FER2013 in each of its forms, and other labelled images, become one folder layout."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dataset_files import (
    USAGES,
    csv_bytes,
    csv_line,
    ferplus,
    image_folder,
    image_names,
    png,
    write_files,
    write_zip,
)
from PIL import Image

from backend.prepare import main
from utils.emotions import EMOTIONS
from utils.processing.prepare import prepare


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("fer2013.csv", "emotion,pixels,Usage"),
        ("icml_face_data.csv", "emotion, Usage, pixels"),
        ("bom.csv", "\ufeffemotion,pixels,Usage"),
    ],
)
@pytest.mark.parametrize("form", ["file", "folder", "zip"])
def test_table(tmp_path: Path, name: str, header: str, form: str) -> None:
    lines = [csv_line(i, usage=usage) for i, usage in enumerate(USAGES)]
    if header.endswith("pixels"):
        lines = [",".join(line.split(",")[i] for i in (0, 2, 1)) for line in lines]
    data = csv_bytes(*lines, header=header)
    if form == "zip":
        source = write_zip(tmp_path / "data.zip", {f"fer2013/{name}": data, "fer2013/README": b"x"})
    else:
        source = write_files(tmp_path / "data", {name: data})
        source = source / name if form == "file" else source
    report = prepare(source, tmp_path / "out")
    assert report.problems == []
    assert image_names(tmp_path / "out") == {
        "train/angry/row0000000.png",
        "train/disgust/row0000001.png",
        "validation/fear/row0000002.png",
        "test/happy/row0000003.png",
    }


def test_table_codes_and_pixels(tmp_path: Path) -> None:
    ramp = np.arange(2304) % 256
    rows = [csv_line(code, " ".join(map(str, ramp))) for code in range(7)]
    (tmp_path / "fer2013.csv").write_bytes(csv_bytes(*rows))
    prepare(tmp_path / "fer2013.csv", tmp_path / "out")
    names = [p.parent.name for p in sorted((tmp_path / "out").rglob("*.png"), key=lambda p: p.name)]
    assert names == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    with Image.open(tmp_path / "out/train/sad/row0000004.png") as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), ramp.reshape(48, 48))


@pytest.mark.parametrize("zipped", [False, True])
def test_kaggle_folders(tmp_path: Path, zipped: bool) -> None:
    files = {
        "archive/train/Happy/Training_1.png": png(1),
        "archive/train/Anger/Training_2.png": png(2),
        "archive/test/happy/PublicTest_3.png": png(3),
        "archive/test/ANGRY/PrivateTest_4.png": png(4),
        "archive/README.md": b"text",
        "__MACOSX/archive/train/Happy/._Training_1.png": b"x",
        "archive/.DS_Store": b"x",
    }
    write = write_zip if zipped else write_files
    table = ferplus(tmp_path / "votes.csv", ["fer0.png"] * 4)
    report = prepare(write(tmp_path / "kaggle.zip", files), tmp_path / "out", ferplus=table)
    assert image_names(tmp_path / "out") == {
        "train/happy/Training_1.png",
        "train/angry/Training_2.png",
        "validation/happy/PublicTest_3.png",
        "test/angry/PrivateTest_4.png",
    }
    assert len(report.problems) == 1
    assert "could not be joined" in report.problems[0]
    assert (tmp_path / "out/train/happy/Training_1.png").read_bytes() == png(1)


def test_validation_is_split_off_train(tmp_path: Path) -> None:
    files = {f"train/{c}/im{i}.png": png(i) for c in ("happy", "sad") for i in range(30)}
    files |= {f"test/{c}/im{i}.png": png(i) for c in ("happy", "sad") for i in range(4)}
    source = write_files(tmp_path / "data", files)
    report = prepare(source, tmp_path / "a")
    assert report.counts == {
        **{("train", c): 27 for c in ("happy", "sad")},
        **{("validation", c): 3 for c in ("happy", "sad")},
        **{("test", c): 4 for c in ("happy", "sad")},
    }
    assert any("there is no validation split: 6 images" in text for text in report.remarks)
    again = prepare(write_zip(tmp_path / "data.zip", files), tmp_path / "b")
    assert image_names(tmp_path / "a") == image_names(tmp_path / "b")
    assert report.fingerprint == again.fingerprint


@pytest.mark.parametrize("wrapper", ["", "data/", "outer/inner/"])
@pytest.mark.parametrize("zipped", [False, True])
def test_image_folder(tmp_path: Path, wrapper: str, zipped: bool) -> None:
    write = write_zip if zipped else write_files
    source = write(tmp_path / "faces.zip", image_folder(wrapper))
    report = prepare(source, tmp_path / "out")
    assert report.problems == []
    assert report.remarks == []
    assert {n: (tmp_path / "out" / n).read_bytes() for n in image_names(tmp_path / "out")} == (
        image_folder()
    )


def test_other_classes_are_kept_as_they_are(tmp_path: Path) -> None:
    files = {
        f"{split}/{label}/x.png": png()
        for split in ("train", "val", "test")
        for label in ("Anger", "Contempt")
    }
    report = prepare(write_files(tmp_path / "data", files), tmp_path / "out")
    assert {label for _, label in report.counts} == {"Anger", "Contempt"}
    assert {split for split, _ in report.counts} == {"train", "validation", "test"}


def test_other_kinds_of_images(tmp_path: Path) -> None:
    files = {
        "train/happy/a.jpg": png(9, "JPEG"),
        "train/happy/b.bmp": png(9, "BMP"),
        "train/happy/sub/c.png": png(9),
        "train/happy/b.png": png(8),
        "train/happy/notes.txt": b"text",
        "validation/happy/d.png": png(9),
        "test/happy/d.png": png(9),
    }
    report = prepare(write_files(tmp_path / "data", files), tmp_path / "out")
    out = tmp_path / "out/train/happy"
    assert sorted(p.name for p in out.iterdir()) == ["a.jpg", "b.png", "sub_c.png"]
    assert (out / "a.jpg").read_bytes() == png(9, "JPEG")
    assert report.problems == [
        "train/happy/b.png: left out, another image is already train/happy/b.png"
    ]
    assert report.remarks == ["1 files that are not images of a class were left out"]


def test_an_interrupted_run_continues(tmp_path: Path) -> None:
    source = write_files(tmp_path / "data", image_folder())
    out = tmp_path / "out"

    def stop(done: int, total: int) -> None:
        assert total == 21
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(source, out, on_progress=stop)
    assert len(image_names(out)) == 8
    cut = out / sorted(image_names(out))[0]
    cut.write_bytes(cut.read_bytes()[:50])
    report = prepare(source, out)
    assert (report.kept, report.written, report.problems) == (7, 14, [])
    assert image_names(out) == set(image_folder())
    again = prepare(source, out)
    assert (again.kept, again.written) == (21, 0)
    assert again.fingerprint == report.fingerprint


def test_other_content_is_replaced_only_on_request(tmp_path: Path) -> None:
    source, out = write_files(tmp_path / "data", image_folder()), tmp_path / "out"
    prepare(source, out)
    mine = out / "train/sad/train5.png"
    mine.write_bytes(png(255))
    report = prepare(source, out)
    assert "exists with other content; replace it with --overwrite" in report.problems[0]
    assert mine.read_bytes() == png(255)
    report = prepare(source, out, overwrite=True)
    assert (report.written, report.problems) == (1, [])
    assert mine.read_bytes() == png(100)


def test_foreign_images_are_reported(tmp_path: Path) -> None:
    source = write_files(tmp_path / "data", image_folder())
    write_files(tmp_path / "out", {"train/happy/stranger.png": png()})
    report = prepare(source, tmp_path / "out")
    assert len(report.problems) == 1
    assert "1 images in" in report.problems[0]
    assert "stranger.png" in report.problems[0]


def test_description(tmp_path: Path) -> None:
    source = write_files(tmp_path / "faces", image_folder())
    report = prepare(source, tmp_path / "out")
    description = json.loads((tmp_path / "out/dataset.json").read_text())
    assert description["source"] == "faces"
    assert description["images"] == 21
    assert description["counts"]["train"] == dict.fromkeys(EMOTIONS, 1)
    assert description["fingerprint"] == report.fingerprint
    (source / "train/sad/train5.png").write_bytes(png(1))
    assert prepare(source, tmp_path / "out2").fingerprint != report.fingerprint


def test_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_files(tmp_path / "data", image_folder())
    out = tmp_path / "out"
    assert main([str(source), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert [line.split() for line in printed.out.splitlines()[:2]] == [
        ["train", "validation", "test"],
        ["angry", "1", "1", "1"],
    ]
    assert "total              7           7           7" in printed.out
    assert "21/21" in printed.err
    (source / "train/sad/broken.png").write_bytes(b"x")
    assert main([str(source), "--out", str(out), "--quiet"]) == 2
    printed = capsys.readouterr()
    assert "0 files written, 21 were there already" in printed.out
    assert printed.err.startswith("\n1 problems:\n  train/sad/broken.png is a text file")


def test_program_ends_with_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "backend.prepare", str(tmp_path / "missing")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "missing: no such file or folder" in done.stderr
    assert "Traceback" not in done.stderr
