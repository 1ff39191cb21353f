"""Say what faces in photos and videos look like: text, JSON, tables, annotated copies.

Sources, in any mixture: pictures, videos, folders of both (however deep), - for a picture from
standard input. Results come in the order of the sources, each as soon as it is there.

Examples:
  python backend/inference.py photo.jpg                         bars for each face
  python backend/inference.py photo.jpg --json                  one JSON document
  python backend/inference.py photo.jpg --save out.jpg          the photo with boxes and labels
  python backend/inference.py holiday/ --out faces.csv          a table with a row for each face
  python backend/inference.py holiday/ --out faces.csv --resume go on after an interruption
  python backend/inference.py clip.mp4 --save-dir annotated/    the video with boxes and labels
  python backend/inference.py --webcam 0 --format jsonl         until Ctrl-C
  curl -s https://example.org/a.jpg | python backend/inference.py - --json
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext, suppress
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from backend.console.cli import SOME_FAILED, run
from backend.console.run_output import Output, complain, format_of, open_output, results_before
from backend.console.run_summary import RunSummary
from utils.devices import image_workers, limit_threads
from utils.errors import ConfigError
from utils.faces import list_detectors
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.annotated_copies import AnnotatedCopies
from utils.inference.batch import AnalyzedFrame, analyze_camera, analyze_sources
from utils.media.images import SAVE_SUFFIXES
from utils.media.sources import Source, find_sources, is_video_name, read_list
from utils.media.writers import FORMATS
from utils.results import Failure, most_probable

EPILOG = """\
Columns and JSON are described in docs/results.md; a file without faces and one that fails have a
row too, with the reason. A CSV, JSON-lines or Parquet run that was interrupted keeps what it wrote:
the same command with --resume goes on. Parquet is made at the end, from FILE.part.jsonl.

Exit code: 0 all is done, 1 some files failed (they are named, the others are done), 2 wrong use.
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sources = parser.add_argument_group("what to look at")
    sources.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="pictures, videos, folders, -"
    )
    sources.add_argument(
        "--list", action="append", default=[], type=Path, metavar="FILE", help="more, one a line"
    )
    sources.add_argument(
        "--glob", metavar="PATTERN", help="of folders, only files whose name or path matches"
    )
    sources.add_argument(
        "--webcam", metavar="N", help="a camera: its number, device file or stream address"
    )
    sources.add_argument("--every", type=int, default=1, help="of videos, analyse every N-th frame")
    _add_output_options(parser)
    _add_model_options(parser)
    args = parser.parse_args(argv)
    if not (args.sources or args.list or args.webcam):
        parser.error("name a picture, a video or a folder (--help has examples)")
    return args


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("what comes out")
    output.add_argument(
        "--format", choices=("text", *FORMATS), help="default: text, or what --out's suffix says"
    )
    output.add_argument("--json", action="store_true", help="same as --format json")
    output.add_argument("--out", type=Path, metavar="FILE", help="write results there")
    output.add_argument("--resume", action="store_true", help="continue the run that wrote --out")
    output.add_argument("--overwrite", action="store_true", help="replace --out if it is there")
    output.add_argument(
        "--save", type=Path, metavar="OUT", help="annotated copy of the picture, or as --save-dir"
    )
    output.add_argument("--save-dir", type=Path, metavar="DIR", help="annotated copies of all")
    output.add_argument("--top", type=int, metavar="K", help="name the K likeliest emotions alone")
    output.add_argument("--quiet", action="store_true", help="no progress bar, no final table")


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("how to look")
    model.add_argument(
        "--model", type=Path, metavar="FILE", help=".pth or .onnx; default: the bundled model"
    )
    model.add_argument(
        "--detector", default="mtcnn", help=f"{', '.join(list_detectors())} (none: it is one face)"
    )
    model.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd"
    )
    model.add_argument(
        "--min-face", type=int, default=20, metavar="PIXELS", help="smallest face (default: 20)"
    )
    model.add_argument(
        "--min-score",
        type=float,
        metavar="SCORE",
        help="drop faces the detector scores lower, 0..1",
    )
    model.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    model.add_argument("--threads", type=int, help="cores to use (default: all, at most 8)")
    model.add_argument(
        "--batch-size", type=int, default=4, help="pictures classified together (default: 4)"
    )


def check(args: argparse.Namespace) -> None:
    """Refuse impossible values before anything is loaded.

    Raises:
        ConfigError: An option is out of range or does not go with another.
    """
    for name in ("every", "min_face", "batch_size", "top", "threads"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    if args.min_score is not None and not 0 <= args.min_score <= 1:
        raise ConfigError(f"--min-score must be from 0 to 1, not {args.min_score}")
    for path in args.list:
        next(read_list(path), None)
    if args.save and args.save_dir:
        raise ConfigError("--save and --save-dir: give one of them")
    if args.json and args.format not in (None, "json"):
        raise ConfigError(f"--json and --format {args.format}: give one of them")


def is_single(args: argparse.Namespace) -> bool:
    """Tell whether one picture alone is asked about."""
    if args.list or args.webcam or len(args.sources) != 1:
        return False
    return not os.path.isdir(args.sources[0]) and not is_video_name(args.sources[0])


def copies_of(args: argparse.Namespace) -> AnnotatedCopies | None:
    """Return the writer of annotated copies that the options ask for.

    Raises:
        ConfigError: ``--save`` or ``--save-dir`` can't be written to.
    """
    out = args.save or args.save_dir
    if out is None:
        return None
    originals = [Path(name) for name in args.sources]
    if args.save and is_single(args) and not os.path.isdir(out):
        if out.suffix.lower() not in SAVE_SUFFIXES:
            raise ConfigError(
                f"--save {out}: can't write this kind; use {', '.join(SAVE_SUFFIXES)}"
            )
        if out.parent.exists() and not out.parent.is_dir():
            raise ConfigError(f"--save {out}: can't be written, {out.parent} is a file")
        return AnnotatedCopies(out.parent, out, originals=originals)
    if os.path.isfile(out):
        raise ConfigError(f"{out}: is a file; name a folder for the annotated copies")
    return AnnotatedCopies(out, originals=originals)


def sources_of(args: argparse.Namespace, done: set[str]) -> Iterator[Source]:
    """Yield the pictures and videos that are still to be looked at."""
    names = chain(args.sources, *(read_list(path) for path in args.list))
    return (source for source in find_sources(names, args.glob) if source.name not in done)


def load_analyzer(args: argparse.Namespace) -> EmotionAnalyzer:
    """Load the model and the detector that the options name."""
    return EmotionAnalyzer.load(
        args.model,
        detector=args.detector,
        device=args.device,
        detector_weights=args.detector_weights,
        min_face=args.min_face,
        min_score=args.min_score,
        threads=limit_threads(args.threads),
    )


def answers_of(
    args: argparse.Namespace, analyzer: EmotionAnalyzer, done: set[str]
) -> Iterator[AnalyzedFrame]:
    """Yield an answer for everything that is to be looked at."""
    workers = args.threads or image_workers()
    sources = sources_of(args, done)
    yield from analyze_sources(
        analyzer, sources, batch_size=args.batch_size, every=args.every, workers=workers
    )
    if args.webcam:
        yield from analyze_camera(analyzer, args.webcam, every=args.every)


def progress_bar(args: argparse.Namespace, done: set[str]) -> tqdm:
    """Return a bar of the files; it is off where it would disturb the output or nobody sees it."""
    hidden = args.quiet or is_single(args) or bool(args.webcam) or not sys.stderr.isatty()
    hidden |= not args.out and sys.stdout.isatty()
    total = None if hidden else sum(1 for _ in sources_of(args, done))
    return tqdm(total=total, unit="file", disable=hidden)


def process(
    answer: AnalyzedFrame,
    output: Output,
    copies: AnnotatedCopies | None,
    summary: RunSummary,
    top: int | None,
) -> None:
    """Count an answer, write it and its annotated copy, and name what failed."""
    outcome = answer.outcome
    summary.add(answer)
    if isinstance(outcome, Failure):
        complain(outcome)
    else:
        outcome = most_probable(outcome, top)
    output.write(answer, outcome)
    if copies and (failure := copies.add(answer)):
        summary.add_failure(failure)
        complain(failure)


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    check(args)
    kind, copies, summary = format_of(args), copies_of(args), RunSummary()
    analyzer = load_analyzer(args)
    done = results_before(args, kind)
    with ExitStack() as stack:
        output = stack.enter_context(
            closing(open_output(args, kind, analyzer.classes, is_single(args)))
        )
        if copies:
            stack.enter_context(copies)
        bar = stack.enter_context(progress_bar(args, done))
        # Ctrl-C is how a camera's run ends.
        with suppress(KeyboardInterrupt) if args.webcam else nullcontext():
            for answer in answers_of(args, analyzer, done):
                process(answer, output, copies, summary, args.top)
                bar.update(summary.files - bar.n)
                bar.set_postfix(faces=summary.faces, refresh=False)
    if not (args.quiet or is_single(args)):
        print(summary.table(), file=sys.stderr)
    return SOME_FAILED if summary.failed else 0


if __name__ == "__main__":
    run(main)
