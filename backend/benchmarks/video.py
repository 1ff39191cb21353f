"""How fast a video file is analysed: ``python backend/benchmark.py --file``."""

import argparse
import tempfile
import time
from pathlib import Path

from backend.benchmarks.live import FPS, example_clip, picture_of
from utils.errors import ConfigError
from utils.inference.analyzer import LIVE_MIN_FACE, EmotionAnalyzer
from utils.inference.video import analyze_video
from utils.media.drawing import annotate
from utils.media.video import VideoReader
from utils.media.video_writer import VideoWriter


def benchmark_video(options: argparse.Namespace) -> dict[str, object]:
    """Analyse a video twice, without and with an annotated copy, and return the speeds.

    Returns:
        Pictures and seconds of the video, and how many times faster than it plays each went.

    Raises:
        ConfigError: ``--seconds`` is impossible.
        VideoError: The video can't be read.
    """
    if not 0 < options.seconds < 3600:
        raise ConfigError(f"--seconds must be more than 0, at most 3600, not {options.seconds}.")
    threads = max(options.threads or [2])
    analyzer = EmotionAnalyzer.load(
        options.model, detector=options.detector, min_face=LIVE_MIN_FACE, threads=threads
    )
    with tempfile.TemporaryDirectory() as folder:
        source = options.video or _write_clip(Path(folder) / "clip.mp4", options)
        pictures, length, plain = _analyse(analyzer, source, None)
        annotated = _analyse(analyzer, source, Path(folder) / "annotated.mp4")[2]
    return {
        "model": analyzer.model_name,
        "detector": options.detector,
        "threads": threads,
        "pictures": pictures,
        "video_seconds": round(length, 2),
        "speed": round(length / plain, 2),
        "speed_annotated": round(length / annotated, 2),
    }


def _analyse(analyzer: EmotionAnalyzer, source: Path, out: Path | None) -> tuple[int, float, float]:
    """Return the pictures of a video, its seconds, and the seconds that analysing it took."""
    began, count, last = time.perf_counter(), 0, 0.0
    with VideoReader(source) as video:
        writer = VideoWriter(out, video.fps, source=source) if out else None
        for frame, result in analyze_video(analyzer, video):
            count, last = count + 1, frame.time
            if writer:
                writer.write(annotate(frame.image, result), frame.time)
        if writer:
            writer.close()
    return count, last + 1 / FPS, time.perf_counter() - began


def _write_clip(path: Path, options: argparse.Namespace) -> Path:
    clip = example_clip(options.faces)
    with VideoWriter(path, FPS) as writer:
        for number in range(round(options.seconds * FPS)):
            writer.write(clip[picture_of(number, len(clip))], number / FPS)
    return path
