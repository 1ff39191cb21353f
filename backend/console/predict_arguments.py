"""The command line of ``backend/inference.py``."""

import argparse
from pathlib import Path

from backend.console.options import ArgumentParser, build_config
from backend.console.predict_config import (
    AnalyzerConfig,
    OutputConfig,
    PredictConfig,
    SourceConfig,
)
from utils.defaults import DETECTOR, MIN_FACE
from utils.errors import ConfigError
from utils.faces import list_detectors
from utils.media.live_outputs.config import LiveOutputConfig
from utils.media.tables.writers import FORMATS

EPILOG = """\
docs/results.md describes the columns and the JSON. A file without faces and one that failed have a
row too, with the reason. An interrupted CSV, JSON-lines or Parquet run keeps what it wrote; the
same command with --resume continues it. Parquet is written at the end, from FILE.part.jsonl.

Exit code: 0 success; 1 some files failed (they are named, the others are done); 2 wrong usage.
"""


def parse_predict_config(argv: list[str] | None, description: str) -> PredictConfig:
    """Return the configuration that a command line describes; print help or usage errors and exit.

    Args:
        argv: The arguments; None is those of this process.
        description: First part of the help text.

    Raises:
        ConfigError: An option is out of range, or contradicts another.
    """
    parser = ArgumentParser(
        description=description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_source_options(parser)
    _add_output_options(parser)
    _add_live_options(parser)
    _add_analyzer_options(parser)
    options = vars(parser.parse_args(argv))
    if not (options["names"] or options["lists"] or options["camera"]):
        parser.error("name an image, a video or a folder (--help has examples)")
    if options["json"]:
        if options["format"] not in (None, "json"):
            raise ConfigError(f"use either --json or --format {options['format']}, not both")
        options["format"] = "json"
    return PredictConfig(
        sources=build_config(SourceConfig, options),
        output=build_config(OutputConfig, options),
        live=build_config(LiveOutputConfig, options),
        analyzer=build_config(AnalyzerConfig, options),
    )


def _add_source_options(parser: argparse.ArgumentParser) -> None:
    sources = parser.add_argument_group("sources")
    sources.add_argument(
        "names", nargs="*", metavar="SOURCE", help="images, videos or folders; - is standard input"
    )
    sources.add_argument(
        "--list",
        dest="lists",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="text file with further sources, one per line; may be repeated",
    )
    sources.add_argument(
        "--glob",
        dest="pattern",
        metavar="PATTERN",
        help="in folders, only files whose name or path matches",
    )
    sources.add_argument(
        "--webcam",
        dest="camera",
        metavar="N",
        help="a camera: its number, device file or stream address",
    )
    sources.add_argument(
        "--every", type=int, default=1, help="analyse every N-th frame of a video (default: 1)"
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format", choices=("text", *FORMATS), help="default: by the suffix of --out, else text"
    )
    output.add_argument("--json", action="store_true", help="short for --format json")
    output.add_argument(
        "--out", dest="file", type=Path, metavar="FILE", help="write the results to this file"
    )
    output.add_argument("--resume", action="store_true", help="continue the run that wrote --out")
    output.add_argument("--overwrite", action="store_true", help="replace --out if it exists")
    output.add_argument(
        "--save",
        type=Path,
        metavar="OUT",
        help="annotated copy of a single image; for several sources like --save-dir",
    )
    output.add_argument(
        "--save-dir", type=Path, metavar="DIR", help="folder for annotated copies of all sources"
    )
    output.add_argument(
        "--top", type=int, metavar="K", help="report only the K most probable emotions"
    )
    output.add_argument("--quiet", action="store_true", help="no progress bar and no final table")


def _add_live_options(parser: argparse.ArgumentParser) -> None:
    live = parser.add_argument_group(
        "live outputs", "to other programs, for each result as soon as it is ready"
    )
    live.add_argument("--webhook", metavar="URL", help="post the results to an HTTP server")
    live.add_argument(
        "--webhook-interval",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="post at most this often (default: 0, at once)",
    )
    live.add_argument(
        "--broadcast",
        type=int,
        metavar="PORT",
        help="send the results to all who connect to ws://127.0.0.1:PORT",
    )
    live.add_argument(
        "--lsl",
        metavar="NAME",
        help="streams of the Lab Streaming Layer: NAME with the probabilities, NAME-markers",
    )


def _add_analyzer_options(parser: argparse.ArgumentParser) -> None:
    analyzer = parser.add_argument_group("model and detector")
    analyzer.add_argument(
        "--model", type=Path, metavar="FILE", help=".pth or .onnx file (default: the bundled model)"
    )
    analyzer.add_argument(
        "--detector",
        default=DETECTOR,
        help=f"{', '.join(list_detectors())} (none: the whole image is one face; "
        f"default: {DETECTOR})",
    )
    analyzer.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd"
    )
    analyzer.add_argument(
        "--min-face",
        type=int,
        default=MIN_FACE,
        metavar="PIXELS",
        help=f"smallest face (default: {MIN_FACE})",
    )
    analyzer.add_argument(
        "--min-score",
        type=float,
        metavar="SCORE",
        help="drop faces with a lower detection score, 0..1",
    )
    analyzer.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    analyzer.add_argument("--threads", type=int, help="CPU cores to use (default: all, at most 8)")
    analyzer.add_argument(
        "--batch-size", type=int, default=4, help="images classified together (default: 4)"
    )
