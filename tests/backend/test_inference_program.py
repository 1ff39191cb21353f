"""``backend/inference.py`` as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from corpus import make_bad, make_good
from paths import REPO
from PIL import Image
from programs import infer

from utils.emotions import EMOTIONS


def test_text_names_the_emotion_and_all_seven(astronaut_jpg: Path) -> None:
    done = infer(astronaut_jpg)
    assert done.returncode == 0, done.stderr
    assert "1 face" in done.stdout
    assert "face 1: happy" in done.stdout
    lines = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ")]
    assert tuple(lines) == EMOTIONS
    assert "█" in done.stdout
    assert "\033" not in done.stdout, "no colours into a pipe"


def test_a_terminal_without_unicode_gets_ascii(astronaut_jpg: Path) -> None:
    done = infer(astronaut_jpg, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "###" in done.stdout


def test_json_is_one_document_as_documented(astronaut_jpg: Path) -> None:
    done = infer(astronaut_jpg, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["image"] == str(astronaut_jpg)
    assert document["model"] == "se_resnet"
    assert (document["width"], document["height"]) == (512, 512)
    (face,) = document["faces"]
    assert {"box", "score", "emotion", "confidence", "uncertain", "probabilities"} <= set(face)
    assert len(face["box"]) == 4
    assert face["emotion"] == "happy"
    assert face["uncertain"] is False
    assert face["confidence"] == max(face["probabilities"].values())
    assert tuple(face["probabilities"]) == EMOTIONS


def test_an_onnx_file_predicts_the_same_as_its_checkpoint(astronaut_jpg: Path) -> None:
    probabilities = []
    for model in ("best_model.pth", "best_model.onnx", "best_model_int8.onnx"):
        done = infer(astronaut_jpg, "--json", "--device", "cpu", "--model", REPO / "model" / model)
        assert done.returncode == 0, done.stderr
        (face,) = json.loads(done.stdout)["faces"]
        probabilities.append(face["probabilities"])
    original, exact, small = probabilities
    assert exact == pytest.approx(original, abs=1e-3)
    assert small == pytest.approx(original, abs=0.05)


def test_every_kind_of_image_has_an_outcome(tmp_path: Path) -> None:
    good, bad = make_good(tmp_path), make_bad(tmp_path)
    paths = [entry.path for entry in good.values()] + [entry.path for entry in bad.values()]
    done = infer(*paths, "--json", "--detector", "none")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr, "Pillow's, of damaged metadata"
    documents = {d["image"]: d for d in json.loads(done.stdout)}
    assert len(documents) == len(paths)
    for entry in good.values():
        assert len(documents[str(entry.path)]["faces"]) == 1, entry.path
    for entry in bad.values():
        error = documents[str(entry.path)]["error"]
        assert error["code"] in ("bad_image", "too_large")
        assert entry.path.name in error["message"]
        assert error["message"] in done.stderr


def test_no_face_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (200, 150), "grey").save(path)
    done = infer(path)
    assert done.returncode == 0, done.stderr
    assert "no face" in done.stdout


def test_save_one_writes_an_annotated_copy(astronaut_jpg: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.png"
    done = infer(astronaut_jpg, "--save", out)
    assert done.returncode == 0, done.stderr
    with Image.open(out) as copy, Image.open(astronaut_jpg) as original:
        assert copy.size == original.size
        assert copy.convert("RGB").tobytes() != original.convert("RGB").tobytes()


def test_save_several_goes_into_a_folder(astronaut_jpg: Path, tmp_path: Path) -> None:
    pictures, out = tmp_path / "in", tmp_path / "out"
    for name in ("a/x.jpg", "b/x.jpg"):
        (pictures / name).parent.mkdir(parents=True)
        (pictures / name).write_bytes(astronaut_jpg.read_bytes())
    (pictures / "b/y.jpg").write_text("no picture")
    done = infer(pictures, "--save", out, "--detector", "haar")
    assert done.returncode == 1
    assert "y.jpg" in done.stderr
    copies = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    assert copies == ["a/x.jpg", "b/x.jpg"]


def test_unusual_file_names_are_handled(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder, long = tmp_path / "in", "x" * 5000
    folder.mkdir()
    for name in ("caf\u00e9.jpg", os.fsdecode(b"latin-\xe9.jpg")):
        Image.new("RGB", (60, 60), "grey").save(folder / name)
    options = ("--model", tiny_checkpoint, "--detector", "none")
    for encoding in ("ascii", "utf-8"):
        text = infer(folder, long, *options, PYTHONIOENCODING=encoding)
        assert text.returncode == 1
        assert "Traceback" not in text.stderr
        assert text.stdout.count("1 face") == 2
    done = infer(folder, long, "--json", *options, PYTHONIOENCODING="ascii")
    documents = json.loads(done.stdout)
    assert {d["image"] for d in documents} == {*map(str, folder.iterdir()), long}
    assert ["error" in d for d in documents] == [False, False, True]


def test_a_name_gives_no_orders_to_the_terminal(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (60, 60), "grey").save(folder / "\x1b[31mred\u202e.png")
    (folder / "\x1b]0;title\x07\n.png").write_text("no image")
    done = infer(folder, "--model", tiny_checkpoint, "--detector", "none")
    assert done.returncode == 1
    assert r"\x1b[31mred\u202e.png (60 x 60): 1 face" in done.stdout
    assert r"\x1b]0;title\x07\n.png is a text file" in done.stderr
    assert not set("\x1b\x07\u202e") & set(done.stdout + done.stderr)


def test_standard_input_without_an_end_is_refused(tiny_checkpoint: Path) -> None:
    command = [sys.executable, "backend/inference.py", "-", "--model", str(tiny_checkpoint)]
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            command, cwd=REPO, stdin=endless, capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 1
    assert done.stderr == "error: standard input has more than 200 MB; name a file instead\n"


@pytest.mark.parametrize("kind", ["text", "json", "csv"])
def test_a_full_disk_behind_standard_output_is_told(
    kind: str, astronaut_jpg: Path, tiny_checkpoint: Path
) -> None:
    command = [sys.executable, "backend/inference.py", str(astronaut_jpg), "--format", kind]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command, "--model", str(tiny_checkpoint)],
            cwd=REPO,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: standard output: can't be written (No space left on device)"
    ]


def test_copies_of_kinds_that_cannot_be_written_become_png(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    pictures, out = tmp_path / "in", tmp_path / "out"
    pictures.mkdir()
    for name in ("x.gif", "x.png", "y.pgm"):
        Image.new("L", (60, 60), 90).save(pictures / name)
    done = infer(pictures, "--save", out, "--model", tiny_checkpoint, "--detector", "none")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["x-2.png", "x.png", "y.png"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["{photo}", "--save", "{photo}"], ["replace an input"]),
        (["{photo}", "--save", "{tmp}/out.xyz"], ["out.xyz", ".png"]),
        (["{photo}", "{photo}", "--save", "{file}"], ["is a file", "folder"]),
        (["{photo}", "--save", "{file}/out.jpg"], ["file.txt", "is a file"]),
        (["{photo}", "--save-dir", "{file}/copies"], ["copies", "file.txt is a file"]),
        (["{photo}", "--detector", "eyes"], ["eyes", "mtcnn", "haar"]),
        (["{photo}", "--detector", "yunet"], ["face_detection_yunet", "opencv_zoo"]),
        (["{photo}", "--detector", "ssd"], ["caffemodel", "EMOTION_DETECTOR_WEIGHTS"]),
        (["{photo}", "--model", "{pipe}"], ["pipe", "is not a regular file"]),
        (["{photo}", "--model", "{folder}"], ["is a folder, not a model file"]),
        (["--list", "/dev/zero"], ["/dev/zero", "a line is longer than any path"]),
        (["{photo}", "--model", "{file}"], ["file.txt"]),
        (["{photo}", "--model", "/nowhere.pth"], ["/nowhere.pth", "no such model file"]),
        (["{photo}", "--device", "abacus"], ["abacus"]),
        (
            ["{photo}", "--save", "{tmp}/copies", "--save-dir", "{tmp}/copies"],
            ["--save-dir", "not both"],
        ),
        (["{folder}", "--save-dir", "{folder}/copies"], ["replace an input"]),
        (["{photo}", "--out", "{tmp}/faces"], ["--format", "jsonl"]),
        (["{photo}", "--out", "{file}", "--format", "csv"], ["file.txt", "--resume"]),
        (["{photo}", "--out", "{file}", "--format", "csv", "--resume"], ["is not a result file"]),
        (["{photo}", "--out", "{photo}/x.csv"], ["x.csv", "can't be written"]),
        (["{photo}", "--resume"], ["--out"]),
        (["{photo}", "--format", "parquet"], ["--out"]),
        (["{photo}", "--top", "0"], ["--top", "at least 1"]),
        (["{photo}", "--min-score", "7"], ["--min-score", "0 to 1"]),
        (["{photo}", "--list", "{tmp}/nowhere.txt"], ["nowhere.txt"]),
        (["--webcam", "77"], ["webcam 77", "can't be opened"]),
        ([], ["name an image"]),
    ],
)
def test_a_users_mistake_is_named(
    astronaut_jpg: Path, tmp_path: Path, args: list[str], words: list[str]
) -> None:
    (tmp_path / "empty").mkdir()
    file = tmp_path / "file.txt"
    file.write_text("text")
    before = astronaut_jpg.read_bytes()
    names = {"photo": astronaut_jpg, "folder": astronaut_jpg.parent, "tmp": tmp_path, "file": file}
    names["pipe"] = tmp_path / "pipe"
    os.mkfifo(names["pipe"])
    done = infer(*(a.format(**names) for a in args))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert astronaut_jpg.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "words"),
    [("empty", ["empty", "no images or videos"]), ("no.jpg", ["no.jpg", "no such file"])],
)
def test_a_file_that_fails_is_named(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    done = infer(tmp_path / name)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
