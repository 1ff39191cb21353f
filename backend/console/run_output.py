"""Where a run's results go: text for people, or one of the formats for programs."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from backend.console.predict_config import OutputConfig
from backend.console.result_text import (
    TerminalStyle,
    describe_camera_frame,
    describe_image,
    describe_video,
)
from utils.errors import ConfigError
from utils.files import locked_file
from utils.inference.batch import AnalyzedFrame
from utils.media.sources import Kind, Source
from utils.media.tables.resume import truncate_incomplete
from utils.media.tables.writers import (
    CsvWriter,
    JsonArrayWriter,
    JsonLinesWriter,
    ResultWriter,
    guess_format,
    journal_of,
    open_writer,
)
from utils.media.video_summary import VideoSummary
from utils.results import Failure, Status

TEXT = "text"
_RESUMABLE = ("jsonl", "csv", "parquet")


class RunOutput(Protocol):
    """Receives the analysed frames of a run, in order."""

    def write(self, frame: AnalyzedFrame) -> None:
        """Write the outcome of one image or frame."""
        ...

    def close(self) -> None:
        """Write what is still held back."""
        ...


class TextOutput:
    """Text: bars for the faces of an image, a summary of a video, a line per camera frame."""

    def __init__(self) -> None:
        self._style = TerminalStyle.of(sys.stdout)
        self._video: tuple[Source, VideoSummary] | None = None

    def write(self, frame: AnalyzedFrame) -> None:
        """Print the faces of an image or camera frame, or count a frame of a video."""
        if self._video and self._video[0] is not frame.source:
            self.close()
        result = frame.outcome
        if isinstance(result, Failure) or result.status is Status.SKIPPED:
            return
        if frame.source.kind is Kind.VIDEO:
            self._video = self._video or (frame.source, VideoSummary())
            self._video[1].add(result)
        elif frame.source.kind is Kind.CAMERA:
            print(describe_camera_frame(result), flush=True)
        else:
            print(describe_image(result, self._style), flush=True)

    def close(self) -> None:
        """Print the summary of the video that has ended."""
        if self._video:
            source, summary = self._video
            print(describe_video(source.name, summary, style=self._style), flush=True)
        self._video = None


class WriterOutput:
    """A format for programs; frames that were not analysed are left out.

    Args:
        writer: Writes the outcomes; closed at the end.
    """

    def __init__(self, writer: ResultWriter) -> None:
        self._writer = writer

    def write(self, frame: AnalyzedFrame) -> None:
        """Write a result or failure."""
        outcome = frame.outcome
        if isinstance(outcome, Failure) or outcome.status is not Status.SKIPPED:
            self._writer.write(outcome)

    def close(self) -> None:
        """Finish the document."""
        self._writer.close()


def resolve_format(config: OutputConfig) -> str:
    """Return the format to write: the one that is set, or the one of the file's suffix.

    Returns:
        ``text`` or one of ``utils.media.tables.writers.FORMATS``.

    Raises:
        ConfigError: The format needs a file or can't be written to one, or the file's suffix is
            unknown.
    """
    kind = config.format
    if kind is None:
        kind = guess_format(config.file) if config.file else TEXT
    if kind == "parquet" and not config.file:
        raise ConfigError("--format parquet needs --out FILE")
    if kind == TEXT and config.file:
        raise ConfigError(
            f"--out {config.file}: text is only printed to the terminal; choose another --format"
        )
    return kind


@contextmanager
def prepared_file(config: OutputConfig, kind: str) -> Iterator[dict[str, bool]]:
    """Prepare the file of results, and keep other runs from writing to it meanwhile.

    Args:
        config: Names the file, and says whether to resume or overwrite it.
        kind: The format from :func:`resolve_format`.

    Yields:
        The names of the sources whose results the file holds already, and whether each failed.

    Raises:
        ConfigError: The file exists and is to be neither resumed nor overwritten, or a run of this
            format can't be resumed.
        OutputError: Another run is writing to the file, or it can't be written.
    """
    if config.resume and (not config.file or kind not in _RESUMABLE):
        raise ConfigError("--resume needs --out FILE with the format jsonl, csv or parquet")
    if not config.file:
        yield {}
        return
    written = journal_of(config.file) if kind == "parquet" else config.file
    missing = not os.path.lexists(written)
    with locked_file(written):
        try:
            finished = _prepare(config, kind, written)
        except ConfigError:
            if missing:
                written.unlink()
            raise
        yield finished


def _prepare(config: OutputConfig, kind: str, written: Path) -> dict[str, bool]:
    """Return the finished sources and which failed; without ``resume``, empty the file instead."""
    complete = kind == "parquet" and os.path.lexists(str(config.file))
    empty = written.stat().st_size == 0
    if config.resume:
        if complete and empty:
            raise ConfigError(f"--out {config.file}: is complete; there is nothing to resume")
        return truncate_incomplete(written, "csv" if kind == "csv" else "jsonl")
    if not config.overwrite and (complete or not empty):
        raise ConfigError(
            f"{config.file if complete else written}: exists already; continue it with --resume or "
            "replace it with --overwrite"
        )
    os.truncate(written, 0)
    if config.file and complete:
        config.file.unlink()
    return {}


def open_output(
    config: OutputConfig, kind: str, *, classes: Sequence[str], single: bool
) -> RunOutput:
    """Open what results are written to.

    Args:
        config: Names the file, if any.
        kind: The format from :func:`resolve_format`.
        classes: The model's classes, for the columns of tables.
        single: The run analyses a single image, so its JSON is an object instead of an array.

    Raises:
        OutputError: The file can't be opened for writing.
    """
    if kind == TEXT:
        return TextOutput()
    if config.file:
        return WriterOutput(open_writer(config.file, kind, classes=classes, single=single))
    if kind == "json":
        return WriterOutput(JsonArrayWriter(sys.stdout, single))
    return WriterOutput(
        CsvWriter(sys.stdout, classes) if kind == "csv" else JsonLinesWriter(sys.stdout)
    )
