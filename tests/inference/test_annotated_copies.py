"""Annotated copies: complete or absent, and one that fails costs nothing else."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from clips import grey_clip, growing_frames
from paths import REPO
from PIL import Image
from programs import infer

from utils.errors import OutputError, VideoError
from utils.media.video import VideoReader
from utils.media.video_writer import VideoWriter

GREY = np.full((64, 64, 3), 90, np.uint8)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def times_in(path: Path) -> list[float]:
    """Return the time of each frame; encoders don't always write the same bytes."""
    with VideoReader(path) as video:
        times = [frame.time for frame in video]
        assert not video.problem
    return times


def write_video(path: Path, times: Iterable[float]) -> None:
    with VideoWriter(path) as writer:
        for moment in times:
            writer.write(GREY, moment)


@pytest.mark.parametrize("limit", [0, 2000])
def test_a_full_disk_costs_the_copies_but_no_result(
    limit: int, clip: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(photo)
    sources, copies = [clip, photo, clip, photo], tmp_path / "copies"
    options = ["--detector", "none", "--model", str(tiny_checkpoint), "--every", "10"]
    command = [sys.executable, "backend/inference.py", *map(str, sources), *options]
    # The system then refuses to write, as a full disk does.
    done = subprocess.run(
        [*command, "--format", "jsonl", "--save-dir", str(copies)],
        cwd=REPO,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 2 + 1 + 2 + 1
    assert all(json.loads(line)["faces"] for line in done.stdout.splitlines())
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    names = ("clip.mp4", "photo.png", "clip-2.mp4", "photo-2.png")
    assert len(errors) == len(names)
    for line, name in zip(errors, names, strict=True):
        assert f"{name}: can't be written" in line
    assert files_in(copies) == []


def test_a_copy_that_cannot_be_encoded_is_counted_and_the_others_are_written(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    tiny = growing_frames(tmp_path / "tiny.mjpeg", [1, 1, 1])
    good, copies = grey_clip(tmp_path / "good.mp4", 3), tmp_path / "copies"
    options = ("--detector", "none", "--model", tiny_checkpoint, "--save-dir", copies)
    done = infer(tiny, good, tiny, "--format", "jsonl", *options)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 9, "every frame has its result"
    assert done.stderr.count("tiny.mp4: can't be encoded") == 1
    assert done.stderr.count("tiny-2.mp4: can't be encoded") == 1
    assert files_in(copies) == ["good.mp4"]


@pytest.mark.parametrize("moment", [1e300, float("nan"), 1e14])
def test_impossible_times_are_errors_of_the_video(moment: float, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(VideoError, match=r"out\.mp4: can't be encoded"):
        write_video(out, [0.0, moment, moment])
    assert files_in(tmp_path) == []


def test_an_exception_leaves_the_previous_copy(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("previous")

    def times() -> Iterator[float]:
        yield 0.0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(out, times())
    assert files_in(tmp_path) == ["out.mp4"]
    assert out.read_text() == "previous"


def test_a_video_is_there_when_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    writer = VideoWriter(out)
    writer.write(GREY, 0.0)
    assert not out.exists()
    writer.close()
    writer.close()
    with VideoReader(out) as video:
        assert len(list(video)) == 1
    assert files_in(tmp_path) == ["out.mp4"]
    with pytest.raises(OutputError, match="can't be written"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4")


@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_names_of_255_bytes_get_copies(letter: str, tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder, copies = tmp_path / "in", tmp_path / "copies"
    (folder / "deep").mkdir(parents=True)
    stem = letter * (248 // len(letter.encode()))
    long = stem + "x" * (251 - len(stem.encode()))
    for name in (f"{long}.jpg", f"{long}.gif", f"deep/{long}.png", f"{long[:-1]}.avif"):
        Image.fromarray(GREY).save(folder / name)
    grey_clip(folder / "clip.mp4", 2).rename(folder / f"{long}x.ts")
    options = ("--detector", "none", "--model", tiny_checkpoint, "--save-dir", copies)
    done = infer(folder, "--format", "jsonl", *options)
    assert done.returncode == 0, done.stderr
    suffixes = [Path(name).suffix for name in files_in(copies)]
    assert sorted(suffixes) == [".jpg", ".mp4", ".png", ".png", ".png"]


def test_a_resumed_run_numbers_copies_as_before(tiny_checkpoint: Path, tmp_path: Path) -> None:
    sources, copies, out = [], tmp_path / "copies", tmp_path / "faces.csv"
    for number, name in enumerate(("a/x.png", "b/x.png", "c/x.png", "d/x.png"), 1):
        sources.append(tmp_path / name)
        sources[-1].parent.mkdir()
        Image.new("RGB", (60, 60), (60 * number,) * 3).save(sources[-1])
    options = ("--detector", "none", "--model", tiny_checkpoint, "--save-dir", copies, "--out", out)
    assert infer(*sources, *options).returncode == 0
    whole = {name: (copies / name).read_bytes() for name in files_in(copies)}
    assert sorted(whole) == ["x-2.png", "x-3.png", "x-4.png", "x.png"]
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:4]))  # as if it had been killed in the third
    for name in ("x-3.png", "x-4.png"):
        (copies / name).unlink()
    assert infer(*sources, *options, "--resume").returncode == 0
    assert {name: (copies / name).read_bytes() for name in files_in(copies)} == whole
    assert out.read_text() == "".join(lines)


@pytest.mark.slow
def test_whatever_has_results_when_a_run_is_killed_has_its_copy(
    clip: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    sources = [tmp_path / "a.mp4", *(tmp_path / f"{number}.png" for number in range(40))]
    sources[0].write_bytes(clip.read_bytes())
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    for source in sources[1:]:
        Image.fromarray(noise).save(source)
    copies, out = tmp_path / "copies", tmp_path / "faces.jsonl"
    options = ["--detector", "none", "--model", str(tiny_checkpoint), "--batch-size", "1"]
    options += ["--out", str(out), "--save-dir", str(copies)]
    command = [sys.executable, "backend/inference.py", *map(str, sources), *options]
    for number in (0, 7, 23):
        run = subprocess.Popen([*command, *["--resume"] * out.exists()], cwd=REPO)
        deadline = time.monotonic() + 120
        while not out.exists() or f"/{number}.png" not in out.read_text():
            assert run.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
        run.send_signal(signal.SIGKILL)
        run.wait()
        done = {Path(json.loads(line)["image"]).name for line in out.read_text().splitlines()}
        whole = {name for name in files_in(copies) if not name.startswith(".")}
        assert done <= whole
        for name in whole - {"a.mp4"}:
            with Image.open(copies / name) as copy:
                copy.load()
    assert infer(*sources, *options, "--resume").returncode == 0
    assert files_in(copies) == sorted(source.name for source in sources)
    names = [json.loads(line)["image"] for line in out.read_text().splitlines()]
    assert names == [str(sources[0])] * 20 + [str(source) for source in sources[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [1, 3])
def test_a_run_killed_while_it_writes_copies_is_resumed(
    wanted: int, clip: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    sources = [tmp_path / f"{name}.mp4" for name in "abc"]
    for source in sources:
        source.write_bytes(clip.read_bytes())
    options = ["--model", str(tiny_checkpoint), "--out", str(tmp_path / "faces.jsonl")]
    whole, copies = tmp_path / "whole", tmp_path / "copies"
    names = [str(source) for source in sources]
    assert infer(*names, *options, "--save-dir", whole).returncode == 0
    expected = (tmp_path / "faces.jsonl").read_text()
    (tmp_path / "faces.jsonl").unlink()
    command = [sys.executable, "backend/inference.py", *names, *options]
    run = subprocess.Popen([*command, "--save-dir", str(copies)], cwd=REPO)
    deadline = time.monotonic() + 300
    # In the middle of the first or of the third video.
    while not copies.exists() or len(files_in(copies)) < wanted:
        assert run.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.wait()
    for name in files_in(copies):
        if not name.startswith("."):
            assert times_in(copies / name) == times_in(whole / name)
    done = infer(*names, *options, "--save-dir", copies, "--resume")
    assert done.returncode == 0, done.stderr
    assert files_in(copies) == files_in(whole) == ["a.mp4", "b.mp4", "c.mp4"]
    for name in files_in(whole):
        assert times_in(copies / name) == times_in(whole / name)
    assert (tmp_path / "faces.jsonl").read_text() == expected
    assert os.path.getsize(copies / "c.mp4") > 1000
