"""``backend/inference.py`` over folders, lists, videos and cameras, into files."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from paths import REPO
from PIL import Image
from programs import infer

from utils.emotions import EMOTIONS
from utils.media.tables.rows import columns

NAMES = ["a.jpg", "deep/er/d.png", "no-face.png", "broken.jpg"]


@pytest.fixture
def folder(astronaut_jpg: Path, clip: Path, tmp_path: Path) -> Path:
    """Two photos with a face, one without, a broken one, a video, and files to be ignored."""
    root = tmp_path / "folder"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "a.jpg").write_bytes(astronaut_jpg.read_bytes())
    Image.open(astronaut_jpg).save(root / "deep" / "er" / "d.png")
    Image.new("RGB", (200, 150), "grey").save(root / "no-face.png")
    (root / "broken.jpg").write_bytes(astronaut_jpg.read_bytes()[:5000])
    (root / "clip.mp4").write_bytes(clip.read_bytes())
    (root / "notes.txt").write_text("no picture")
    (root / ".hidden.jpg").write_text("hidden")
    return root


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_a_table(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "faces.csv"
    done = infer(folder, "--out", out)
    assert done.returncode == 1, done.stderr
    table = read_csv(out)
    assert list(table[0]) == list(columns(EMOTIONS))
    pictures = {Path(r["image"]).name: r for r in table if not r["image"].endswith(".mp4")}
    assert set(pictures) == {Path(name).name for name in NAMES}
    assert pictures["no-face.png"]["status"] == "no_face"
    assert pictures["broken.jpg"]["status"] == "failed"
    assert "broken.jpg" in pictures["broken.jpg"]["reason"]
    for name in ("a.jpg", "d.png"):
        row = pictures[name]
        assert (row["status"], row["emotion"], row["face"]) == ("ok", "happy", "1")
        assert sum(float(row[f"p_{e}"]) for e in EMOTIONS) == pytest.approx(1, abs=1e-4)
        assert row["raw_happy"] == ""
    frames = [r for r in table if r["image"].endswith(".mp4")]
    assert len(frames) == 20
    times = [float(r["time"]) for r in frames]
    assert times == pytest.approx([i / 10 for i in range(20)], abs=0.01)
    assert {r["track_id"] for r in frames} == {"1"}
    assert all(float(r["raw_happy"]) > 0.5 for r in frames)
    summary = dict(line.rsplit(maxsplit=1) for line in done.stderr.splitlines() if " " in line)
    assert summary["files"] == "5"
    assert summary["failed"] == summary["  bad_image"] == "1"


def test_the_formats_hold_the_same(folder: Path, tmp_path: Path) -> None:
    tables = {}
    for kind in ("json", "jsonl", "csv", "parquet"):
        out = tmp_path / f"faces.{kind}"
        done = infer(folder, "--out", out, "--glob", "*.[jp]*g", "--quiet")
        assert done.returncode == 1, done.stderr
        assert done.stdout == ""
        tables[kind] = out
    documents = json.loads(tables["json"].read_text())
    assert [json.loads(line) for line in tables["jsonl"].read_text().splitlines()] == documents
    assert sorted(Path(d["image"]).name for d in documents) == sorted(Path(n).name for n in NAMES)
    assert [d["error"]["code"] for d in documents if "error" in d] == ["bad_image"]
    frame, written = pd.read_parquet(tables["parquet"]), pd.read_csv(tables["csv"])
    assert list(frame.columns) == list(written.columns) == list(columns(EMOTIONS))
    assert frame["image"].tolist() == written["image"].tolist() == [d["image"] for d in documents]
    assert frame["p_happy"].fillna(-1).tolist() == pytest.approx(written["p_happy"].fillna(-1))
    assert not list(tmp_path.glob("*.part*")), "what the Parquet file was made of is gone"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_killed_run_is_resumed_without_repeating(
    kind: str, folder: Path, tmp_path: Path, clip: Path
) -> None:
    whole, out = tmp_path / f"whole.{kind}", tmp_path / f"faces.{kind}"
    sources = [folder, clip, clip.with_name("other.mp4")]
    (clip.with_name("other.mp4")).write_bytes(clip.read_bytes())
    assert infer(*sources, "--out", whole).returncode == 1
    command = [sys.executable, "backend/inference.py", *map(str, sources), "--out", str(out)]
    run = subprocess.Popen(command, cwd=REPO, stderr=subprocess.DEVNULL)
    journal = out if kind != "parquet" else tmp_path / "faces.parquet.part.jsonl"
    deadline = time.monotonic() + 120
    while not journal.exists() or journal.stat().st_size < 8_000:
        assert run.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    with journal.open("ab") as file:  # as if the power had failed in the middle of a line
        file.write(b'{"model": "se_')
    assert "--resume" in infer(*sources, "--out", out).stderr
    done = infer(*sources, "--out", out, "--resume")
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    if kind == "parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(out), pd.read_parquet(whole))
    else:
        assert out.read_text() == whole.read_text()


def test_lists_standard_input_and_files_mix(folder: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text(f"# more\n{folder / 'no-face.png'}\n\n{folder / 'deep'}\n")
    command = [sys.executable, "backend/inference.py", str(folder / "a.jpg"), "-"]
    done = subprocess.run(
        [*command, "--list", str(names), "--format", "jsonl", "--top", "2"],
        cwd=REPO,
        input=(folder / "a.jpg").read_bytes(),
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(d["image"]).name for d in documents] == ["a.jpg", "-", "no-face.png", "d.png"]
    assert documents[0]["faces"] == documents[1]["faces"]
    assert next(iter(documents[0]["faces"][0]["probabilities"])) == "happy"
    assert len(documents[0]["faces"][0]["probabilities"]) == 2


def test_a_video_is_summarised_in_a_few_lines(clip: Path, tmp_path: Path) -> None:
    done = infer(clip, "--every", "2", "--save-dir", tmp_path / "copies")
    assert done.returncode == 0, done.stderr
    assert "10 frames): 1 face" in done.stdout
    assert "happy" in done.stdout
    assert (tmp_path / "copies" / "clip.mp4").stat().st_size > 5000


def test_limits_on_faces_hold(astronaut_jpg: Path) -> None:
    for option in (["--min-face", "200"], ["--min-score", "1"]):
        done = infer(astronaut_jpg, "--json", *option)
        assert json.loads(done.stdout)["faces"] == []


def test_a_camera_is_followed_until_it_ends(clip: Path, tmp_path: Path) -> None:
    done = infer("--webcam", clip, "--format", "jsonl", "--save-dir", tmp_path / "copies")
    assert done.returncode == 0, done.stderr
    frames = [json.loads(line) for line in done.stdout.splitlines()]
    assert frames
    assert frames[-1]["faces"][0]["emotion"] == "happy"
    assert [f["time"] for f in frames] == sorted(f["time"] for f in frames)


def peak_mb(*options: object) -> float:
    """Run ``backend/inference.py`` and return its peak memory."""
    code = (
        "import sys; from backend.inference import main; from utils.memory import memory_mb\n"
        "code = main(); print(memory_mb(peak=True), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, options), "--detector", "none", "--quiet"],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"MALLOC_ARENA_MAX": "2"},
    )
    assert done.returncode == 0, done.stderr
    return float(done.stderr.splitlines()[-1])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(tiny_checkpoint: Path, tmp_path: Path) -> None:
    picture = tmp_path / "x.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)).save(
        picture
    )
    peaks = []
    for count in (200, 3000):
        names = tmp_path / f"{count}.txt"
        names.write_text(f"{picture}\n" * count)
        out = tmp_path / f"{count}.csv"
        peaks.append(peak_mb("--list", names, "--model", tiny_checkpoint, "--out", out))
    assert peaks[1] - peaks[0] < 15


@pytest.mark.slow
def test_memory_is_limited_however_large_the_images(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "faces.csv"
    folder.mkdir()
    Image.new("RGB", (11000, 9000), "grey").save(folder / "0.png", compress_level=1)
    for number in range(1, 4):
        (folder / f"{number}.png").hardlink_to(folder / "0.png")
    peak = peak_mb(
        folder, "--model", tiny_checkpoint, "--threads", 3, "--batch-size", 1, "--out", out
    )
    assert len(read_csv(out)) == 4
    assert 1_000 < peak < 3_300, "one takes 1,000 MB; all at once would take 4,300"
