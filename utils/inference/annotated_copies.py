"""Annotated copies of images and videos, written to a folder."""

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from utils.errors import ConfigError, EmotionError
from utils.files import locked_folder, shortened
from utils.inference.batch import AnalyzedFrame
from utils.media.drawing import annotate
from utils.media.image_writer import SAVE_SUFFIXES, save_image
from utils.media.sources import Kind, Source
from utils.media.video_writer import VideoWriter
from utils.results import Failure, FrameResult


class AnnotatedCopies:
    """Writes a copy with boxes and labels of everything that was analysed.

    A copy has the path of its original below the input folder. If two originals share that path,
    the later copies are numbered. A copy that can't have its original's format becomes PNG, or MP4
    for videos. A copy appears under its name when it is complete: the copy of a video after the
    next source was added, or on :meth:`complete`.

    Args:
        folder: Where the copies go; created if it is missing.
        file: Where the copy of a single image goes instead.
        originals: Files and folders that no copy may replace or be written into.
    """

    def __init__(
        self, folder: Path, file: Path | None = None, *, originals: Iterable[Path] = ()
    ) -> None:
        self._folder, self._file = folder, file
        self._originals = {path.resolve() for path in originals}
        self._used: set[Path] = set()
        self._source: Source | None = None
        self._target: Path | None = None
        self._video: VideoWriter | None = None
        self._lock = ExitStack()

    def add(self, analyzed: AnalyzedFrame) -> list[Failure]:
        """Write the copy of an image, or of one frame of a video.

        Returns:
            Why this copy, or that of the video before it, can't be written; each reason is returned
            once.

        Raises:
            ConfigError: The copy would replace an original, or the suffix of ``file`` is not one of
                ``SAVE_SUFFIXES``.
        """
        failures = []
        if analyzed.source is not self._source:
            failures += self.complete()
            self._source, self._target = analyzed.source, self.reserve(analyzed.source)
        if self._target is None or analyzed.image is None:
            return failures
        try:
            self._write(analyzed, self._target)
        except ConfigError:
            raise
        except EmotionError as error:
            self._video = self._target = None  # the other frames of a video are left out
            failures.append(Failure.of(analyzed.source.name, error))
        return failures

    def complete(self) -> list[Failure]:
        """Complete the copy of the video that is being written.

        Returns:
            Why it can't be completed; empty if it was, or if there is none.
        """
        video, self._video = self._video, None
        try:
            if video:
                video.close()
        except EmotionError as error:
            return [Failure.of(self._source.name if self._source else str(video), error)]
        return []

    def reserve(self, source: Source) -> Path | None:
        """Return where the copy of a source goes; no other copy is written there.

        A run that is resumed calls it for what is done, so that copies are numbered as before.

        Returns:
            The file; None for a source that can't be used.

        Raises:
            ConfigError: The copy would replace an original.
        """
        if source.kind is Kind.UNUSABLE:
            return None
        path = source.below
        if source.kind in (Kind.VIDEO, Kind.CAMERA):
            path = path.with_suffix(".mp4")
        elif path.suffix.lower() not in SAVE_SUFFIXES:
            path = path.with_suffix(".png")
        target, number = self._file or self._folder / shortened(path), 2
        while target in self._used:
            target = self._folder / shortened(path, f"-{number}")
            number += 1
        self._used.add(target)
        resolved = target.resolve()
        if self._originals & {resolved, *resolved.parents}:
            raise ConfigError(f"{target}: would replace an input; name another file or folder")
        return target

    def __enter__(self) -> "AnnotatedCopies":
        """Keep other runs from writing to the folder.

        Raises:
            ConfigError: The folder can't be created because a file is in the way.
            OutputError: Another run is writing to it, or it can't be created.
        """
        if self._file is None:
            self._lock.enter_context(locked_folder(self._folder))
        return self

    def __exit__(self, *error: object) -> None:
        if self._video:
            self._video.discard()
        self._lock.close()

    def _write(self, analyzed: AnalyzedFrame, target: Path) -> None:
        if analyzed.image is None or not isinstance(analyzed.outcome, FrameResult):
            return
        drawn = annotate(analyzed.image, analyzed.outcome)
        if analyzed.source.kind not in (Kind.VIDEO, Kind.CAMERA):
            save_image(drawn, target)
            return
        if self._video is None:
            with suppress(OSError):  # the writer reports what is wrong
                target.parent.mkdir(parents=True, exist_ok=True)
            sound = Path(analyzed.source.name) if analyzed.source.kind is Kind.VIDEO else None
            self._video = VideoWriter(target, analyzed.fps, source=sound)
        self._video.write(drawn, analyzed.outcome.time or 0.0)
