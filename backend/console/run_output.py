"""Where a run's results go: text for people, or one of the formats for programs."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Protocol

from tqdm import tqdm

from backend.console.result_text import Style, describe, describe_frame, describe_video
from utils.errors import ConfigError
from utils.inference.batch import AnalyzedFrame
from utils.media.resume import truncate_incomplete
from utils.media.sources import Kind, Source
from utils.media.video_summary import VideoSummary
from utils.media.writers import (
    CsvWriter,
    JsonArrayWriter,
    JsonLinesWriter,
    ResultWriter,
    guess_format,
    journal_of,
    open_writer,
)
from utils.results import Failure, Outcome, Status

TEXT = "text"


class Output(Protocol):
    """Takes the answers of a run in order."""

    def write(self, answer: AnalyzedFrame, outcome: Outcome) -> None:
        """Put out an answer; ``outcome`` is its result as it is to be shown."""
        ...

    def close(self) -> None:
        """Put out what is still kept back."""
        ...


class TextOutput:
    """Text: a picture's faces with bars, a video's summary, a line for each frame of a camera."""

    def __init__(self) -> None:
        self._style = Style.of(sys.stdout)
        self._video: tuple[Source, VideoSummary] | None = None

    def write(self, answer: AnalyzedFrame, outcome: Outcome) -> None:
        """Print a picture's text, or count a frame of a video."""
        if self._video and self._video[0] is not answer.source:
            self.close()
        if isinstance(outcome, Failure) or outcome.status is Status.SKIPPED:
            return
        if answer.source.kind is Kind.VIDEO:
            self._video = self._video or (answer.source, VideoSummary())
            self._video[1].add(outcome)
        elif answer.source.kind is Kind.CAMERA:
            print(describe_frame(outcome), flush=True)
        else:
            print(describe(outcome, self._style), flush=True)

    def close(self) -> None:
        """Print the summary of the video that has ended."""
        if self._video:
            source, summary = self._video
            print(describe_video(source.name, summary, self._style), flush=True)
        self._video = None


class WriterOutput:
    """A format for programs; frames that were not analysed are left out."""

    def __init__(self, sink: ResultWriter) -> None:
        self._sink = sink

    def write(self, answer: AnalyzedFrame, outcome: Outcome) -> None:
        """Write a result or failure."""
        if isinstance(outcome, Failure) or outcome.status is not Status.SKIPPED:
            self._sink.write(outcome)

    def close(self) -> None:
        """Finish the document."""
        self._sink.close()


def format_of(args: argparse.Namespace) -> str:
    """Return the format that the options ask for.

    Raises:
        ConfigError: It needs a file, or can't be told from the file's name.
    """
    kind = "json" if args.json else args.format
    if kind is None:
        kind = guess_format(args.out) if args.out else TEXT
    if kind == "parquet" and not args.out:
        raise ConfigError("--format parquet needs --out FILE")
    if kind == TEXT and args.out:
        raise ConfigError(f"--out {args.out}: text goes to the screen; choose another --format")
    return kind


def results_before(args: argparse.Namespace, kind: str) -> set[str]:
    """Prepare the file of results and return the names it answers for already.

    Raises:
        ConfigError: The file is there and no option says what to do with it, or a run of this
            format can't be continued.
    """
    if args.resume and (not args.out or kind not in ("jsonl", "csv", "parquet")):
        raise ConfigError("--resume needs --out FILE with the format jsonl, csv or parquet")
    if not args.out:
        return set()
    journal = journal_of(args.out) if kind == "parquet" else args.out
    there = [path for path in {args.out, journal} if os.path.lexists(path)]
    if args.resume:
        if kind == "parquet" and there == [args.out]:
            raise ConfigError(f"--out {args.out}: is finished; there is nothing to resume")
        return truncate_incomplete(journal, "csv" if kind == "csv" else "jsonl")
    if there and not args.overwrite:
        raise ConfigError(
            f"{there[0]}: is there already; continue it with --resume or replace it by --overwrite"
        )
    for path in there:
        if not path.is_file():
            raise ConfigError(f"--out {path}: is not a regular file")
        path.unlink()
    return set()


def open_output(
    args: argparse.Namespace, kind: str, classes: Sequence[str], single: bool
) -> Output:
    """Open what results are written to.

    Args:
        args: The program's options.
        kind: ``text`` or one of ``utils.media.writers.FORMATS``.
        classes: The model's classes.
        single: One picture alone is asked about: its JSON is no list.

    Raises:
        OutputError: The file can't be opened for writing.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be beyond it
    if kind == TEXT:
        return TextOutput()
    if args.out:
        return WriterOutput(open_writer(args.out, kind, classes=classes, single=single))
    if kind == "json":
        return WriterOutput(JsonArrayWriter(sys.stdout, single))
    return WriterOutput(
        CsvWriter(sys.stdout, classes) if kind == "csv" else JsonLinesWriter(sys.stdout)
    )


def complain(failure: Failure) -> None:
    """Print a failure to stderr without disturbing the progress bar."""
    message = failure.error.message.encode("utf-8", "backslashreplace").decode()
    tqdm.write(f"error: {message}", file=sys.stderr)
