"""The analysis of a video in the background, and what is known when it has ended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from frontend.resources import Engine
from utils.inference.annotated_copies import AnnotatedCopies
from utils.inference.batch import AnalyzedFrame
from utils.inference.video import analyze_video
from utils.jobs import Job
from utils.media.drawing import annotate
from utils.media.figures.timecode import timecode
from utils.media.sources import Kind, Source
from utils.media.thumbnails import BestFaces
from utils.media.video import VideoFrame, VideoReader
from utils.results import Failure, FrameResult, Status

PREVIEW_EVERY = 15
Step = tuple[VideoFrame, FrameResult]


@dataclass
class Analysis:
    """A finished video.

    Attributes:
        name: The file's name.
        annotated: The annotated copy.
        every: Every N-th frame was analysed.
        results: The analysed frames.
        portraits: A picture of each face by its ``track_id``, as the bytes of a JPEG file.
        names: What the user calls faces, by ``track_id``.
        problem: Why the analysis ended early; None if it did not.
        session_id: The session it was saved as; None before that.
    """

    name: str
    annotated: Path
    every: int = 1
    results: list[FrameResult] = field(default_factory=list)
    portraits: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    problem: str | None = None
    session_id: int | None = None


def analysis_of(
    engine: Engine, name: str, *, path: Path, every: int
) -> Callable[[Job[Analysis]], Analysis]:
    """Return the work of a job: analyse a video and write its annotated copy.

    Args:
        engine: The model.
        name: What users call the video.
        path: Its file; the copy is written beside it.
        every: Every N-th frame is analysed.
    """

    def work(job: Job[Analysis]) -> Analysis:
        out = path.with_name("annotated.mp4")
        analysis, best = Analysis(name, out, every), BestFaces()
        source = Source(str(path), Kind.VIDEO, Path(name))
        with VideoReader(path, name) as video, AnnotatedCopies(out.parent, out) as copies:
            frames = analyze_video(engine.live, video, every=every)
            for frame, result in _in_turn(engine, frames):
                if job.cancelled:
                    analysis.problem = f"Stopped at {timecode(frame.time)}."
                    break
                failures = copies.add(AnalyzedFrame(source, result, frame.image, video.fps))
                analysis.problem = analysis.problem or _message(failures)
                if result.status is not Status.SKIPPED:
                    analysis.results.append(result)
                    best.add(frame.image, result)
                if frame.index % PREVIEW_EVERY == 0:
                    share = frame.time / video.duration if video.duration else 0.0
                    preview = annotate(frame.image, result)
                    job.report(share, f"at {timecode(frame.time)}", preview=preview)
            failures = copies.complete()
            analysis.problem = analysis.problem or video.problem or _message(failures)
        analysis.portraits = best.portraits
        return analysis

    return work


def _in_turn(engine: Engine, frames: Iterator[Step]) -> Iterator[Step]:
    """Yield the frames of a video, each analysed when it is this viewer's turn."""
    while True:
        with engine.lock:
            step = next(frames, None)
        if step is None:
            return
        yield step


def _message(failures: list[Failure]) -> str | None:
    return failures[0].error.message if failures else None
