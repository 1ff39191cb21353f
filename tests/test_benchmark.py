"""The benchmark of live video: it runs the real engine and says what it measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
KEYS = {
    "output_fps", "callback_p50_ms", "callback_p95_ms", "refresh_hz", "result_age_p50_ms",
    "result_age_p95_ms", "cpu_percent", "rss_mb_start", "rss_mb_end", "detector_ms",
    "classifier_ms", "draw_ms", "streams", "box_overlap",
}  # fmt: skip


def benchmark(*args: object) -> subprocess.CompletedProcess[str]:
    kind = [] if "--file" in args else ["--live"]
    command = [sys.executable, "backend/benchmark.py", *kind, *map(str, args)]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_streams_and_faces_are_measured() -> None:
    done = benchmark("--seconds", 4, "--streams", 2, "--faces", 2, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) >= KEYS
    assert (figures["streams"], figures["faces"], figures["error"]) == (2, 2, None)
    assert figures["output_fps"] >= figures["output_fps_slowest"] > 0
    assert figures["refresh_hz"] > 0
    assert "peer_fer_ms" not in figures


@pytest.mark.slow
def test_a_video_file_is_measured() -> None:
    done = benchmark("--file", "--seconds", 2, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["pictures"], figures["video_seconds"]) == (60, pytest.approx(2.0, abs=0.05))
    assert min(figures["speed"], figures["speed_annotated"]) > 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--streams", 0], "--streams"),
        (["--seconds", 0], "--seconds"),
        (["--video", "/nowhere.mp4"], "/nowhere.mp4"),
    ],
)
def test_a_users_mistake_is_named(args: list[object], words: str) -> None:
    done = benchmark(*args)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
