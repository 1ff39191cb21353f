"""What a run over many files came to: a table at its end."""

from collections import Counter

from utils.inference.batch import AnalyzedFrame
from utils.media.sources import Kind, Source
from utils.results import Failure, FrameResult, Status


class RunSummary:
    """Counts files, frames, faces, emotions and failures.

    Attributes:
        files: Pictures and videos so far.
        faces: Faces so far; in videos once for each analysed frame.
        failures: Reason's code to the number of files that failed.
    """

    def __init__(self) -> None:
        self.files = self.faces = self.frames = self.without = 0
        self.emotions: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._source: Source | None = None

    def add(self, answer: AnalyzedFrame) -> None:
        """Count an answer."""
        if answer.source is not self._source:
            self._source = answer.source
            self.files += 1
        if isinstance(answer.outcome, Failure):
            self.add_failure(answer.outcome)
        elif answer.outcome.status is not Status.SKIPPED:
            self._add_result(answer.outcome, answer.source.kind is Kind.VIDEO)

    def add_failure(self, failure: Failure) -> None:
        """Count what went wrong with a file that was counted, or with its copy."""
        self.failures[failure.error.code] += 1

    def _add_result(self, result: FrameResult, of_video: bool) -> None:
        self.frames += of_video
        self.without += not result.faces
        self.faces += len(result.faces)
        self.emotions.update(
            "uncertain" if face.uncertain else face.emotion for face in result.faces
        )

    @property
    def failed(self) -> int:
        """Files that failed so far."""
        return self.failures.total()

    def table(self) -> str:
        """Return the counts as lines of text."""
        lines = [("files", self.files)]
        if self.frames:
            lines.append(("frames of videos", self.frames))
        lines += [("faces", self.faces), ("without a face", self.without)]
        lines += [(f"  {name}", count) for name, count in self.emotions.most_common()]
        lines.append(("failed", self.failed))
        lines += [(f"  {code}", count) for code, count in self.failures.most_common()]
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:{width}s} {count:>9,}" for name, count in lines)
