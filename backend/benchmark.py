"""Measure how fast everything is on this machine.

Examples:
  python backend/benchmark.py                         every form of the model, in one table
  python backend/benchmark.py --live --seconds 20     the engine of the live page
  python backend/benchmark.py --file --seconds 20     a video file
  python backend/benchmark.py --folder                a folder of photos
  python backend/benchmark.py --api                   the service, over loopback
  python backend/benchmark.py --session               a recording of an hour
  python backend/benchmark.py --page --seconds 300 --busy 2
                                                      the live page in Chromium, beside other work
  python backend/benchmark.py --soak 60 --viewers 2   everything at once: errors, growing memory
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.benchmarks.config import (
    BenchmarkApiConfig,
    BenchmarkConfig,
    BenchmarkFolderConfig,
    BenchmarkLiveConfig,
    BenchmarkModelsConfig,
    BenchmarkSessionConfig,
    BenchmarkVideoConfig,
)
from backend.benchmarks.page.config import BenchmarkPageConfig
from backend.benchmarks.result import BenchmarkResult
from backend.benchmarks.soak.config import BenchmarkSoakConfig
from backend.console.cli import ExitCode, run
from backend.console.options import ArgumentParser, build_config, check_at_least_one
from utils.defaults import DETECTOR, INTERVAL
from utils.extras import require
from utils.paths import BUNDLED_MODEL


@dataclass(frozen=True)
class BenchmarkCommand:
    """What the command line asks for.

    Attributes:
        config: The benchmark and its options.
        json: Print the result as JSON instead of text.
    """

    config: BenchmarkConfig
    json: bool = False


def parse_args(argv: list[str] | None = None) -> BenchmarkCommand:
    """Return what the command line asks for.

    Raises:
        ConfigError: An option is out of range.
    """
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="checkpoint (default: bundled)")
    parser.add_argument("--threads", type=int, nargs="+", help="CPU cores for inference")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    _add_model_options(parser)
    _add_video_options(parser)
    _add_other_options(parser)
    options = vars(parser.parse_args(argv))
    return BenchmarkCommand(_choose_config(options), options["json"])


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    models = parser.add_argument_group("forms of a model")
    models.add_argument(
        "--data", type=Path, default=Path("images"), help="prepared data folder, for the accuracy"
    )
    models.add_argument("--runs", type=int, default=200, help="timed runs (default: 200)")


def _add_video_options(parser: argparse.ArgumentParser) -> None:
    video = parser.add_argument_group("video")
    video.add_argument("--live", action="store_true", help="measure live video")
    video.add_argument("--file", action="store_true", help="measure a video file")
    video.add_argument("--seconds", type=float, default=20.0, help="of video (default: 20)")
    video.add_argument(
        "--video", type=Path, metavar="FILE", help="video to use (default: a moving photo)"
    )
    video.add_argument("--detector", default=DETECTOR, help=f"face detector (default: {DETECTOR})")
    video.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd"
    )
    video.add_argument(
        "--streams", type=int, default=1, help="viewers at the same time (default: 1)"
    )
    video.add_argument("--faces", type=int, default=1, help="faces in a frame (default: 1)")
    video.add_argument(
        "--peers", action="store_true", help="also time fer and deepface, where installed"
    )
    video.add_argument(
        "--interval",
        type=int,
        default=INTERVAL,
        help=f"analyse every N-th frame (default: {INTERVAL})",
    )


def _add_other_options(parser: argparse.ArgumentParser) -> None:
    others = parser.add_argument_group("folders, the service, recordings and the page")
    others.add_argument("--folder", action="store_true", help="measure a folder of photos")
    others.add_argument("--api", action="store_true", help="measure the HTTP and WebSocket service")
    others.add_argument("--session", action="store_true", help="measure a recording of an hour")
    others.add_argument("--page", action="store_true", help="measure the live page in Chromium")
    others.add_argument(
        "--busy",
        type=int,
        default=0,
        help="other processes that load the processor meanwhile, for --page (default: 0)",
    )
    others.add_argument(
        "--soak",
        type=float,
        metavar="MINUTES",
        help="keep streams, uploads, sockets and recordings busy; exit code 1 for errors and leaks",
    )
    others.add_argument(
        "--viewers",
        type=int,
        default=0,
        help="Chromium browsers that watch the live page, for --soak (default: 0)",
    )
    others.add_argument(
        "--requests",
        type=int,
        default=20_000,
        help="requests before the service's memory is measured again (default: 20000)",
    )


def _choose_config(options: dict[str, Any]) -> BenchmarkConfig:
    threads: list[int] | None = options["threads"]
    if threads:
        check_at_least_one(threads=min(threads))
    if options["live"]:
        first = threads[0] if threads else None
        return build_config(BenchmarkLiveConfig, options | {"threads": first})
    if options["file"]:
        return build_config(BenchmarkVideoConfig, options | {"threads": max(threads or [2])})
    if options["folder"]:
        return build_config(BenchmarkFolderConfig, options | {"threads": max(threads or [1])})
    if options["session"]:
        return BenchmarkSessionConfig()
    if options["page"] or options["api"] or options["soak"] is not None:
        return _choose_server_config(options)
    model = options["model"] or BUNDLED_MODEL
    return build_config(
        BenchmarkModelsConfig, options | {"model": model, "threads": threads or [1, 2]}
    )


def _choose_server_config(
    options: dict[str, Any],
) -> BenchmarkApiConfig | BenchmarkPageConfig | BenchmarkSoakConfig:
    if options["page"]:
        return build_config(BenchmarkPageConfig, options)
    if options["soak"] is not None:
        return build_config(BenchmarkSoakConfig, options | {"minutes": options["soak"]})
    return build_config(BenchmarkApiConfig, options)


def measure(config: BenchmarkConfig) -> BenchmarkResult:
    """Run the benchmark that a configuration describes.

    Raises:
        EmotionError: A file that it names can't be used.
        MissingExtraError: It needs packages that are not installed.
    """
    # Imported on demand: each process that measures a form of the model imports this program anew,
    # and PyTorch would count as its memory.
    if isinstance(config, BenchmarkLiveConfig):
        from backend.benchmarks.live import benchmark_live

        return benchmark_live(config)
    if isinstance(config, BenchmarkVideoConfig):
        from backend.benchmarks.video import benchmark_video

        return benchmark_video(config)
    if isinstance(config, BenchmarkFolderConfig):
        from backend.benchmarks.folder import benchmark_folder

        return benchmark_folder(config)
    if isinstance(config, BenchmarkSessionConfig):
        from backend.benchmarks.sessions import benchmark_sessions

        return benchmark_sessions(config)
    if isinstance(config, BenchmarkApiConfig | BenchmarkPageConfig | BenchmarkSoakConfig):
        return _measure_server(config)
    require("train", feature="The comparison of PyTorch and ONNX", modules=("torch",))
    from backend.benchmarks.models import benchmark_models

    return benchmark_models(config)


def _measure_server(
    config: BenchmarkApiConfig | BenchmarkPageConfig | BenchmarkSoakConfig,
) -> BenchmarkResult:
    if isinstance(config, BenchmarkPageConfig):
        _require_browser()
        from backend.benchmarks.page.delay import benchmark_page

        return benchmark_page(config)
    require("api", feature="The service")
    if isinstance(config, BenchmarkSoakConfig):
        if config.viewers:
            _require_browser()
        from backend.benchmarks.soak.soak import benchmark_soak

        return benchmark_soak(config)
    from backend.benchmarks.api import benchmark_api

    return benchmark_api(config)


def _require_browser() -> None:
    require("app", feature="The live page")
    require("test", feature="Its measurement", modules=("playwright",))


def main() -> int:
    """Run the program and return its exit code."""
    command = parse_args()
    result = measure(command.config)
    print(json.dumps(result.to_document(), indent=1) if command.json else result.to_text())
    return ExitCode.SOME_FAILED if result.problems() else ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
