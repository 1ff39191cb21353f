"""How fast a video file is analysed: ``python backend/benchmark.py --file``."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.benchmarks.clip import FPS, example_clip, frame_index
from backend.benchmarks.config import BenchmarkVideoConfig
from backend.benchmarks.result import BenchmarkResult
from utils.defaults import LIVE_MIN_FACE
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.video import analyze_video
from utils.media.drawing import annotate
from utils.media.video import VideoReader
from utils.media.video_writer import VideoWriter


@dataclass(frozen=True)
class VideoBenchmark(BenchmarkResult):
    """How many times faster than real time a video is analysed.

    Attributes:
        model: The architecture.
        detector: The face detector.
        threads: CPU cores for inference.
        frames: Frames of the video.
        video_seconds: Its length.
        speed: Seconds of video per second.
        speed_annotated: The same with an annotated copy being written.
    """

    model: str
    detector: str
    threads: int
    frames: int
    video_seconds: float
    speed: float
    speed_annotated: float

    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a JSON document."""
        return {
            "model": self.model,
            "detector": self.detector,
            "threads": self.threads,
            "pictures": self.frames,
            "video_seconds": round(self.video_seconds, 2),
            "speed": round(self.speed, 2),
            "speed_annotated": round(self.speed_annotated, 2),
        }


@dataclass(frozen=True)
class _Pass:
    """One pass over a video: its frames, its length, and how long the analysis took."""

    frames: int
    video_seconds: float
    seconds: float

    @property
    def speed(self) -> float:
        return self.video_seconds / self.seconds


def benchmark_video(config: BenchmarkVideoConfig) -> VideoBenchmark:
    """Analyse a video twice, without and with an annotated copy.

    Raises:
        ConfigError: There is neither a video nor scikit-image, which has the example photo.
        EmotionError: The model or the detector can't be used.
        VideoError: The video can't be read.
    """
    analyzer = EmotionAnalyzer.load(
        config.model,
        detector=config.detector,
        detector_weights=config.detector_weights,
        min_face=LIVE_MIN_FACE,
        threads=config.threads,
    )
    with tempfile.TemporaryDirectory() as folder:
        source = config.video or _write_clip(Path(folder) / "clip.mp4", config)
        plain = _analyze(analyzer, source, copy=None)
        annotated = _analyze(analyzer, source, copy=Path(folder) / "annotated.mp4")
    return VideoBenchmark(
        model=analyzer.model_name,
        detector=config.detector,
        threads=config.threads,
        frames=plain.frames,
        video_seconds=plain.video_seconds,
        speed=plain.speed,
        speed_annotated=annotated.speed,
    )


def _analyze(analyzer: EmotionAnalyzer, source: Path, *, copy: Path | None) -> _Pass:
    start, count, last = time.perf_counter(), 0, 0.0
    with VideoReader(source) as video:
        writer = VideoWriter(copy, video.fps, source=source) if copy else None
        for frame, result in analyze_video(analyzer, video):
            count, last = count + 1, frame.time
            if writer:
                writer.write(annotate(frame.image, result), frame.time)
        if writer:
            writer.close()
    return _Pass(count, last + 1 / FPS, time.perf_counter() - start)


def _write_clip(path: Path, config: BenchmarkVideoConfig) -> Path:
    clip = example_clip(config.faces)
    with VideoWriter(path, FPS) as writer:
        for number in range(round(config.seconds * FPS)):
            writer.write(clip[frame_index(number, len(clip))], number / FPS)
    return path
