"""Annotated copies of images and videos, written to a folder."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from utils.errors import ConfigError, EmotionError
from utils.inference.batch import AnalyzedFrame
from utils.media.drawing import annotate
from utils.media.images import SAVE_SUFFIXES, save_image
from utils.media.sources import Kind, Source
from utils.media.video_writer import VideoWriter
from utils.results import Failure, FrameResult


class AnnotatedCopies:
    """Writes a copy with boxes and labels of everything that was analysed.

    A copy has the path of its original below the input folder. If two originals share that path,
    the later copies are numbered. A copy that can't have its original's format becomes PNG, or MP4
    for videos.

    Args:
        folder: Where the copies go; created when the first one is written.
        file: Where the copy of a single image goes instead.
        originals: Files and folders that no copy may replace or be written into.
    """

    def __init__(
        self, folder: Path, file: Path | None = None, *, originals: Iterable[Path] = ()
    ) -> None:
        self._folder, self._file = folder, file
        self._originals = {path.resolve() for path in originals}
        self._failed: Source | None = None
        self._used: set[Path] = set()
        self._video: tuple[Source, VideoWriter] | None = None

    def add(self, analyzed: AnalyzedFrame) -> Failure | None:
        """Write the copy of an image, or of one frame of a video.

        Returns:
            Why the copy can't be written; None if it was, or if the analysis failed.

        Raises:
            ConfigError: The copy would replace an original, or the suffix of ``file`` is not one of
                ``SAVE_SUFFIXES``.
        """
        if self._video and self._video[0] is not analyzed.source:
            self.close()
        if analyzed.image is None or not isinstance(analyzed.outcome, FrameResult):
            return None
        if self._failed is analyzed.source:  # a video whose failure was reported already
            return None
        try:
            drawn = annotate(analyzed.image, analyzed.outcome)
            if analyzed.source.kind in (Kind.VIDEO, Kind.CAMERA):
                self._writer(analyzed).write(drawn, analyzed.outcome.time or 0.0)
            else:
                save_image(drawn, self._target(analyzed.source))
        except ConfigError:
            raise
        except EmotionError as error:
            self._failed = analyzed.source
            return Failure.of(analyzed.source.name, error)
        return None

    def close(self) -> None:
        """Complete the video that is being written.

        Raises:
            VideoError: The end of the video can't be written.
        """
        video, self._video = self._video, None
        if video:
            video[1].close()

    def __enter__(self) -> "AnnotatedCopies":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _writer(self, analyzed: AnalyzedFrame) -> VideoWriter:
        if self._video is None:
            target = self._target(analyzed.source)
            with suppress(OSError):  # the writer reports what is wrong
                target.parent.mkdir(parents=True, exist_ok=True)
            sound = Path(analyzed.source.name) if analyzed.source.kind is Kind.VIDEO else None
            writer = VideoWriter(target, analyzed.fps, source=sound)
            self._video = (analyzed.source, writer)
        return self._video[1]

    def _target(self, source: Source) -> Path:
        path = source.below
        if source.kind in (Kind.VIDEO, Kind.CAMERA):
            path = path.with_suffix(".mp4")
        elif path.suffix.lower() not in SAVE_SUFFIXES:
            path = path.with_suffix(".png")
        target, number = self._file or self._folder / path, 2
        while target in self._used:
            target = self._folder / path.with_stem(f"{path.stem}-{number}")
            number += 1
        self._used.add(target)
        resolved = target.resolve()
        if self._originals & {resolved, *resolved.parents}:
            raise ConfigError(f"{target}: would replace an input; name another file or folder")
        return target
