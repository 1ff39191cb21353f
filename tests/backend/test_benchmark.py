"""The benchmarks: typed configurations and results, and the real engine measured."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from programs import run_program

from backend.benchmark import BenchmarkCommand, measure, parse_args
from backend.benchmarks.clip import frame_index, moving_photo
from backend.benchmarks.config import (
    BenchmarkApiConfig,
    BenchmarkConfig,
    BenchmarkFolderConfig,
    BenchmarkLiveConfig,
    BenchmarkModelsConfig,
    BenchmarkSessionConfig,
    BenchmarkVideoConfig,
)
from backend.benchmarks.load_generator import LoadResult
from backend.benchmarks.model_forms import BatchTimes, FormFigures
from backend.benchmarks.models import Machine, ModelsBenchmark
from backend.benchmarks.page.config import BenchmarkPageConfig
from backend.benchmarks.page.glass_to_glass import PICTURES, picture_ages
from backend.benchmarks.soak.config import BenchmarkSoakConfig
from utils.errors import ConfigError

KEYS = {
    "output_fps", "callback_p50_ms", "callback_p95_ms", "refresh_hz", "result_age_p50_ms",
    "result_age_p95_ms", "cpu_percent", "rss_mb_start", "rss_mb_end", "detector_ms",
    "classifier_ms", "draw_ms", "streams", "box_overlap",
}  # fmt: skip


def benchmark(*args: object) -> subprocess.CompletedProcess[str]:
    kind = [] if "--file" in args else ["--live"]
    return run_program("benchmark", *kind, *args)


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
def test_a_folder_is_measured(tiny_checkpoint: Path) -> None:
    result = measure(BenchmarkFolderConfig(model=tiny_checkpoint, detector="none", runs=8))
    document = result.to_document()
    assert (document["photos"], document["size"], document["threads"]) == (8, "640x480", 1)
    assert document["detector_and_classifier_per_second"] > 0
    assert document["folder_per_second"] > 0


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


@pytest.mark.parametrize(
    ("args", "config"),
    [
        ("", BenchmarkModelsConfig()),
        ("--threads 1 4 --runs 9", BenchmarkModelsConfig(threads=(1, 4), runs=9)),
        (
            "--live --threads 3 4 --interval 1 --peers",
            BenchmarkLiveConfig(threads=3, interval=1, peers=True),
        ),
        (
            "--file --video a.mp4 --threads 1 4",
            BenchmarkVideoConfig(video=Path("a.mp4"), threads=4),
        ),
        ("--folder --detector haar", BenchmarkFolderConfig(detector="haar")),
        (
            "--folder --detector ssd --detector-weights x.caffemodel",
            BenchmarkFolderConfig(detector="ssd", detector_weights=Path("x.caffemodel")),
        ),
        ("--api --requests 5 --seconds 1.5", BenchmarkApiConfig(requests=5, seconds=1.5)),
        ("--session", BenchmarkSessionConfig()),
        ("--page --seconds 300 --busy 2", BenchmarkPageConfig(seconds=300, busy=2)),
        ("--soak 0.5 --model a.pth", BenchmarkSoakConfig(minutes=0.5, model=Path("a.pth"))),
    ],
)
def test_the_command_line_becomes_a_configuration(args: str, config: BenchmarkConfig) -> None:
    assert parse_args(args.split()) == BenchmarkCommand(config)
    assert parse_args([*args.split(), "--json"]) == BenchmarkCommand(config, json=True)


@pytest.mark.parametrize(
    "args",
    [
        "--threads 0",
        "--live --threads 2 0",
        "--runs 0",
        "--file --seconds 3600",
        "--file --seconds 0.01",
        "--live --seconds nan",
        "--live --interval 0",
        "--page --busy -1",
        "--soak nan",
    ],
)
def test_impossible_options_are_refused(args: str) -> None:
    wrong = r"--(threads|runs|seconds|interval|busy|soak) must be at least"
    with pytest.raises(ConfigError, match=wrong):
        parse_args(args.split())


def test_a_recording_is_measured() -> None:
    result = measure(BenchmarkSessionConfig(points=23))
    document = result.to_document()
    assert document["points"] == 23
    assert set(document) == {"points", "write_seconds", "open_seconds", "charts_seconds"}
    lines = result.to_text().splitlines()
    assert lines[0].split() == ["points", "23"]
    assert len(lines) == 4


def test_figures_of_models_become_a_table() -> None:
    def form(name: str, milliseconds: float) -> FormFigures:
        times = BatchTimes(milliseconds, 2 * milliseconds, 1000 / milliseconds)
        return FormFigures(name, "m.onnx", 1, 4.2, 0.5, times, times, 99.6, {"perceived": 0.851})

    machine = Machine("CPU", 2, "Linux", "2.9", "1.20", "2.0")
    result = ModelsBenchmark(machine, 7, (form("torch fp32", 6.0), form("onnx int8", 1.5)))
    document = result.to_document()
    assert list(document) == ["hardware", "runs", "rows"]
    assert [row["speedup"] for row in document["rows"]] == [1.0, 4.0]
    assert document["rows"][1]["batch_1"] == {
        "p50_ms": 1.5,
        "p95_ms": 3.0,
        "images_per_second": pytest.approx(666.7, abs=0.1),
    }
    assert result.to_text().splitlines()[-1] == (
        "| onnx int8 | 1 | 4.2 | 0.50 | 1.50 (3.00) | 1.5 (3.0) | 667 | 100 | 4.0x "
        "| perceived 85.10% |"
    )


def test_a_clip_plays_forwards_and_backwards() -> None:
    assert [frame_index(number, 4) for number in range(8)] == [0, 1, 2, 3, 2, 1, 0, 1]


def test_a_moving_photo_repeats_the_face() -> None:
    clip = moving_photo(np.full((40, 40, 3), 200, np.uint8), faces=2)
    assert len(clip) == 120
    assert clip[0].shape == (480, 640, 3)


def test_a_load_counts_successes_alone() -> None:
    load = LoadResult(seconds=2.0, response_seconds=[0.1, 0.3])
    load.statuses.update([200, 200, 503])
    assert load.rate == 1.0
    assert load.percentile_ms(50) == 200.0


def test_the_age_of_a_shown_picture_is_told_from_the_cameras_numbers() -> None:
    last = PICTURES - 1
    samples = [
        [1000.0, last - 3, None],
        [1100.0, last, last - 3],
        [1200.0, None, last - 1],  # the camera showed it between two samples
        [1300.0, 5, 2],  # the camera began anew
        [1400.0, 8, 5],
        [1450.0, 8, last - 300],  # from before the first sample: unknown
    ]
    ages = picture_ages(samples)
    assert ages[:, 0].tolist() == [1100.0, 1200.0, 1300.0, 1400.0]
    assert ages[:, 1] == pytest.approx([100, 133.3, 100, 100], abs=0.1)


def test_a_picture_newer_than_the_cameras_last_number_is_not_taken_for_an_old_one() -> None:
    samples = [
        [0.0, 0, None],
        [29_000.0, 870, 868],
        [31_000.0, 30, 28],
        [31_100.0, None, 33],
    ]
    assert picture_ages(samples)[:, 1] == pytest.approx([66.7, 66.7], abs=0.1)


def test_a_page_without_video_has_no_ages() -> None:
    assert picture_ages([[0.0, None, None], [10.0, 3, None]]).shape == (0, 2)
