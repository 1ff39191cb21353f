"""Runs of ``backend/inference.py`` that end early, or meet one another."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from paths import REPO
from PIL import Image
from programs import infer


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        Image.new("RGB", (60, 60), "grey").save(path)
    return paths


@contextmanager
def waiting_run(
    written: Path, photos: list[Path], *options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a run that waits for standard input after it has written its first result."""
    sources = [*map(str, photos), "-"]
    command = [sys.executable, "backend/inference.py", *sources, *map(str, options)]
    command += ["--batch-size", "1"]
    run = subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdin is not None
    try:
        deadline = time.monotonic() + 120
        while not written.exists() or written.stat().st_size == 0:
            assert run.poll() is None, "it ended before its first result"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield run
    finally:
        run.kill()
        run.communicate()


def test_a_parquet_run_that_is_interrupted_can_be_resumed(
    photos: list[Path], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    out, journal = tmp_path / "x.parquet", tmp_path / "x.parquet.part.jsonl"
    options = ("--detector", "none", "--model", tiny_checkpoint, "--out", out)
    with waiting_run(journal, photos, *options) as run:
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert not out.exists(), "it would pass for complete"
    assert 1 <= len(journal.read_text().splitlines()) <= 2
    done = infer(*photos, *options, "--resume")
    assert done.returncode == 0, done.stderr
    assert pd.read_parquet(out)["image"].tolist() == [str(path) for path in photos]
    assert not journal.exists()
    assert "is complete" in infer(*photos, *options, "--resume").stderr


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_resumed_run_reports_the_failures_before_it(
    kind: str, photos: list[Path], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    broken, out = tmp_path / "broken.png", tmp_path / f"x.{kind}"
    broken.write_bytes(b"no image")
    options = ("--detector", "none", "--model", tiny_checkpoint, "--out", out)
    assert infer(broken, *photos, *options).returncode == 1
    before = out.read_bytes()
    done = infer(broken, *photos, *options, "--resume")
    assert done.returncode == 1
    assert out.read_bytes() == before
    summary = dict(line.rsplit(maxsplit=1) for line in done.stderr.splitlines())
    assert summary["failed"] == summary["  before it was resumed"] == "1"


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
def test_a_second_run_into_the_same_file_is_told(
    name: str, photos: list[Path], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / name
    written = tmp_path / "x.parquet.part.jsonl" if name == "x.parquet" else out
    options = ("--detector", "none", "--model", tiny_checkpoint, "--out", out)
    with waiting_run(written, photos, *options) as run:
        before = written.read_bytes()
        for how in ("--overwrite", "--resume"):
            second = infer(*photos, *options, how)
            assert second.returncode == 2
            assert f"{written}: another run is writing to it" in second.stderr
        assert written.read_bytes().startswith(before)
        run.send_signal(signal.SIGKILL)
        run.wait()
    third = infer(*photos, *options, "--overwrite")
    assert third.returncode == 0, "a killed run leaves no lock behind"


def test_a_second_run_into_the_same_folder_of_copies_is_told(
    photos: list[Path], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    copies, options = tmp_path / "copies", ("--detector", "none", "--model", tiny_checkpoint)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    with waiting_run(first, photos, *options, "--out", first, "--save-dir", copies) as run:
        other = infer(*photos, *options, "--out", second, "--save-dir", copies)
        assert other.returncode == 2
        assert f"{copies}: another run is writing to it" in other.stderr
        run.send_signal(signal.SIGKILL)
        run.wait()
    third = infer(*photos, *options, "--out", second, "--save-dir", copies, "--overwrite")
    assert third.returncode == 0, third.stderr
    assert sorted(path.name for path in copies.iterdir()) == ["a.png", "b.png"]


def test_a_device_is_no_file_for_results(photos: list[Path], tiny_checkpoint: Path) -> None:
    options = ("--model", tiny_checkpoint, "--format", "csv", "--overwrite")
    done = infer(photos[0], *options, "--out", "/dev/full")
    assert done.returncode == 2
    assert "/dev/full: is not a regular file" in done.stderr
