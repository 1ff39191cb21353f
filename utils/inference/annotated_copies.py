"""Annotated copies of pictures and videos in a folder."""

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

    A copy has the path that its original has below the folder that was named. Where two originals
    would have the same, the later ones get a number. What can't be written in the original's kind
    becomes PNG, or MP4 for videos.

    Args:
        folder: Where the copies go; made when needed.
        file: Write the one picture's copy there instead.
        originals: Files and folders that no copy may replace or be written into.
    """

    def __init__(
        self, folder: Path, file: Path | None = None, originals: Iterable[Path] = ()
    ) -> None:
        self._folder, self._file = folder, file
        self._originals = {path.resolve() for path in originals}
        self._failed: Source | None = None
        self._used: set[Path] = set()
        self._video: tuple[Source, VideoWriter] | None = None

    def add(self, answer: AnalyzedFrame) -> Failure | None:
        """Write a picture's copy or one frame of a video's; return why that was not possible.

        Raises:
            ConfigError: The copy would replace its original.
        """
        if self._video and self._video[0] is not answer.source:
            self.close()
        if answer.image is None or not isinstance(answer.outcome, FrameResult):
            return None
        if self._failed is answer.source:
            return None
        try:
            drawn = annotate(answer.image, answer.outcome)
            if answer.source.kind in (Kind.VIDEO, Kind.CAMERA):
                self._writer(answer).write(drawn, answer.outcome.time or 0.0)
            else:
                save_image(drawn, self._target(answer.source))
        except ConfigError:
            raise
        except EmotionError as error:
            self._failed = answer.source
            return Failure.of(answer.source.name, error)
        return None

    def close(self) -> None:
        """Finish the video that is being written.

        Raises:
            VideoError: Its end can't be written.
        """
        video, self._video = self._video, None
        if video:
            video[1].close()

    def __enter__(self) -> "AnnotatedCopies":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _writer(self, answer: AnalyzedFrame) -> VideoWriter:
        if self._video is None:
            target = self._target(answer.source)
            with suppress(OSError):  # the writer says what is wrong
                target.parent.mkdir(parents=True, exist_ok=True)
            sound = Path(answer.source.name) if answer.source.kind is Kind.VIDEO else None
            writer = VideoWriter(target, answer.fps, source=sound)
            self._video = (answer.source, writer)
        return self._video[1]

    def _target(self, source: Source) -> Path:
        below = source.below
        if source.kind in (Kind.VIDEO, Kind.CAMERA):
            below = below.with_suffix(".mp4")
        elif below.suffix.lower() not in SAVE_SUFFIXES:
            below = below.with_suffix(".png")
        target, number = self._file or self._folder / below, 2
        while target in self._used:
            target = self._folder / below.with_stem(f"{below.stem}-{number}")
            number += 1
        self._used.add(target)
        place = target.resolve()
        if self._originals & {place, *place.parents}:
            raise ConfigError(f"{target}: would replace an input; name another file or folder")
        return target
