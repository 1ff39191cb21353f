"""Detect the faces in images and videos and predict their expressions.

Sources can be mixed freely: images, videos, folders (searched recursively), or - for an image from
standard input. Results come in the order of the sources, each as soon as it is ready. They are
written as text, JSON or a table; annotated copies are optional.

Examples:
  python backend/inference.py photo.jpg                         bars for each face
  python backend/inference.py photo.jpg --json                  one JSON document
  python backend/inference.py photo.jpg --save out.jpg          the photo with boxes and labels
  python backend/inference.py holiday/ --out faces.csv          a table with one row per face
  python backend/inference.py holiday/ --out faces.csv --resume continue after an interruption
  python backend/inference.py clip.mp4 --save-dir annotated/    the video with boxes and labels
  python backend/inference.py --webcam 0 --format jsonl         until Ctrl-C
  python backend/inference.py --webcam 0 --lsl emotion          for the Lab Streaming Layer
  curl -s https://example.org/a.jpg | python backend/inference.py - --json
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from backend.console.cli import ExitCode, run
from backend.console.messages import report_error
from backend.console.predict_arguments import parse_predict_config
from backend.console.predict_config import PredictConfig
from backend.console.run_output import (
    RunOutput,
    open_output,
    prepared_file,
    resolve_format,
)
from backend.console.run_summary import RunSummary
from utils.devices import image_workers
from utils.errors import ConfigError
from utils.files import check_folder
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.annotated_copies import AnnotatedCopies
from utils.inference.batch import AnalyzedFrame, analyze_camera, analyze_sources
from utils.media.image_writer import SAVE_SUFFIXES
from utils.media.live_outputs.outputs import LiveOutputs
from utils.media.sources import Source
from utils.media.tables.writers import complete_file
from utils.memory import return_large_blocks
from utils.results import Failure, most_probable


def parse_args(argv: list[str] | None = None) -> PredictConfig:
    """Return the configuration that the command line describes.

    Raises:
        ConfigError: An option is out of range, or contradicts another.
    """
    return parse_predict_config(argv, description=str(__doc__))


@dataclass(frozen=True)
class _RunWriter:
    """Passes each analysed frame on to the outputs, the annotated copies and the summary."""

    output: RunOutput
    live: LiveOutputs
    copies: AnnotatedCopies | None
    summary: RunSummary
    top: int | None

    def write(self, frame: AnalyzedFrame) -> None:
        self.summary.add(frame)
        self.live.write(frame.outcome, arrived=frame.arrived)
        # Before the results: whatever they hold when the program is killed has its copy, too.
        if self.copies:
            self._report(self.copies.add(frame))
        if isinstance(frame.outcome, Failure):
            report_error(frame.outcome.error.message)
            self.output.write(frame)
        else:
            self.output.write(replace(frame, outcome=most_probable(frame.outcome, self.top)))

    def complete(self) -> None:
        """Complete what the last source left open."""
        if self.copies:
            self._report(self.copies.complete())

    def _report(self, failures: list[Failure]) -> None:
        for failure in failures:
            self.summary.add_failure(failure)
            report_error(failure.error.message)


def predict(config: PredictConfig) -> RunSummary:
    """Analyse all sources, write their results, and return the totals.

    Args:
        config: The sources, the output, and the model and detector.

    Raises:
        EmotionError: The model, the detector or the output can't be used. A source that can't be
            read is no error: it is reported to stderr and counted in the totals.
    """
    config.sources.check_lists()
    kind, copies = resolve_format(config.output), open_copies(config)
    analyzer = config.analyzer.load()
    with ExitStack() as stack:
        # Before the file is emptied: an output that can't be opened ends the run.
        live = config.live.open(analyzer.stream_description, report=report_error)
        stack.enter_context(closing(live))
        finished = stack.enter_context(prepared_file(config.output, kind))
        summary = _write_results(
            config, analyzer, kind=kind, copies=copies, live=live, finished=finished
        )
        # Not after an exception: what is not complete can be resumed.
        if config.output.file:
            complete_file(config.output.file, kind, classes=analyzer.classes)
    return summary


def _write_results(
    config: PredictConfig,
    analyzer: EmotionAnalyzer,
    *,
    kind: str,
    copies: AnnotatedCopies | None,
    live: LiveOutputs,
    finished: dict[str, bool],
) -> RunSummary:
    """Analyse the sources that are not finished, and return the totals."""
    single, summary = config.sources.is_single_image, RunSummary(sum(finished.values()))
    with ExitStack() as stack:
        output = stack.enter_context(
            closing(open_output(config.output, kind, classes=analyzer.classes, single=single))
        )
        if copies:
            stack.enter_context(copies)
        writer = _RunWriter(output, live, copies, summary, config.output.top)
        bar = stack.enter_context(_progress_bar(config, finished))
        # Ctrl-C is how the run of a camera ends.
        with suppress(KeyboardInterrupt) if config.sources.camera else nullcontext():
            for frame in _analyze_all(config, analyzer, _remaining(config, finished, copies)):
                writer.write(frame)
                bar.update(summary.files - bar.n)
                bar.set_postfix(faces=summary.faces, refresh=False)
        writer.complete()
    return summary


def open_copies(config: PredictConfig) -> AnnotatedCopies | None:
    """Return the writer of annotated copies; None if the configuration asks for none.

    Raises:
        ConfigError: ``save`` or ``save_dir`` can't be written to.
    """
    target = config.output.save or config.output.save_dir
    if target is None:
        return None
    originals = [Path(name) for name in config.sources.names]
    if config.output.save and config.sources.is_single_image and not os.path.isdir(target):
        if target.suffix.lower() not in SAVE_SUFFIXES:
            raise ConfigError(
                f"--save {target}: unsupported file type; use {', '.join(SAVE_SUFFIXES)}"
            )
        check_folder(target.parent)
        return AnnotatedCopies(target.parent, target, originals=originals)
    check_folder(target)
    return AnnotatedCopies(target, originals=originals)


def _remaining(
    config: PredictConfig, finished: dict[str, bool], copies: AnnotatedCopies | None
) -> Iterator[Source]:
    """Yield the sources that an interrupted run did not finish."""
    for source in config.sources.find():
        if source.name not in finished:
            yield source
        elif copies:
            copies.reserve(source)


def _analyze_all(
    config: PredictConfig, analyzer: EmotionAnalyzer, sources: Iterator[Source]
) -> Iterator[AnalyzedFrame]:
    every = config.sources.every
    yield from analyze_sources(
        analyzer,
        sources,
        batch_size=config.analyzer.batch_size,
        every=every,
        workers=config.analyzer.threads or image_workers(),
    )
    if config.sources.camera:
        yield from analyze_camera(analyzer, config.sources.camera, every=every)


def _progress_bar(config: PredictConfig, finished: dict[str, bool]) -> "tqdm[None]":
    """Return a bar that counts files, disabled where it would garble the output or go unseen."""
    sources, output = config.sources, config.output
    hidden = output.quiet or sources.is_single_image or bool(sources.camera)
    hidden |= not sys.stderr.isatty() or (not output.file and sys.stdout.isatty())
    total = None if hidden else sum(1 for _ in sources.find(finished))
    return tqdm(total=total, unit="file", disable=hidden)


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    return_large_blocks()
    summary = predict(config)
    if not (config.output.quiet or config.sources.is_single_image):
        print(summary.table(), file=sys.stderr)
    return ExitCode.SOME_FAILED if summary.failed else ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
