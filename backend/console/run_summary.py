"""The totals of a run over many files, printed as a table at its end."""

from collections import Counter

from utils.inference.batch import AnalyzedFrame
from utils.media.sources import Kind, Source
from utils.results import Failure, FrameResult, Status


class RunSummary:
    """Counts files, video frames, faces, emotions and failures.

    Args:
        failed_before: Files that failed in the part of the run that this one continues.

    Attributes:
        files: Images and videos so far.
        video_frames: Analysed frames of videos so far.
        faces: Faces so far; in videos, once per analysed frame.
        without_face: Images and analysed frames without a face so far.
        emotions: Faces by emotion, or ``uncertain``.
        failures: Files that failed, by error code.
    """

    def __init__(self, failed_before: int = 0) -> None:
        self.files = self.video_frames = self.faces = self.without_face = 0
        self.emotions: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._failed_before = failed_before
        self._source: Source | None = None

    def add(self, frame: AnalyzedFrame) -> None:
        """Count the outcome of one image or frame."""
        if frame.source is not self._source:
            self._source = frame.source
            self.files += 1
        if isinstance(frame.outcome, Failure):
            self.add_failure(frame.outcome)
        elif frame.outcome.status is not Status.SKIPPED:
            self.video_frames += frame.source.kind is Kind.VIDEO
            self._add_result(frame.outcome)

    def add_failure(self, failure: Failure) -> None:
        """Count the failure of a file, or of its annotated copy."""
        self.failures[failure.error.code] += 1

    def _add_result(self, result: FrameResult) -> None:
        self.without_face += not result.faces
        self.faces += len(result.faces)
        self.emotions.update(
            "uncertain" if face.uncertain else face.emotion for face in result.faces
        )

    @property
    def failed(self) -> int:
        """Number of failures so far, with those before the run was resumed."""
        return self._failed_before + self.failures.total()

    def table(self) -> str:
        """Return the counts as lines of text."""
        lines = [("files", self.files)]
        if self.video_frames:
            lines.append(("frames of videos", self.video_frames))
        lines += [("faces", self.faces), ("without a face", self.without_face)]
        lines += [(f"  {name}", count) for name, count in self.emotions.most_common()]
        lines.append(("failed", self.failed))
        lines += [(f"  {code}", count) for code, count in self.failures.most_common()]
        if self._failed_before:
            lines.append(("  before it was resumed", self._failed_before))
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:{width}s} {count:>9,}" for name, count in lines)
