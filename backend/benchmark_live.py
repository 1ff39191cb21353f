"""How fast live video runs: ``python backend/benchmark.py --live``.

A 640×480 clip is fed at its real rate through the same object that the live page's callback uses.
"""

import argparse
import math
import time
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from utils.analysis import EmotionAnalyzer
from utils.errors import ConfigError, VideoError
from utils.live import LIVE_MIN_FACE, LiveAnalyzer, LiveOptions, limit_threads

FPS = 30
WIDTH, HEIGHT = 640, 480


def benchmark_live(options: argparse.Namespace) -> dict[str, object]:
    """Measure live video and return its figures.

    Raises:
        ConfigError: An option is impossible, or there is nothing to show.
        VideoError: The video can't be read.
    """
    if options.threads is not None and min(options.threads) < 1:
        raise ConfigError(f"--threads must be at least 1, not {min(options.threads)}.")
    if not 0 < options.seconds < math.inf:
        raise ConfigError(f"--seconds must be more than 0, not {options.seconds}.")
    threads = limit_threads(options.threads[0] if options.threads else None)
    analyzer = EmotionAnalyzer.load(
        options.model, options.detector, min_face=LIVE_MIN_FACE, threads=threads
    )
    clip = _read_video(options.video) if options.video else _moving_photo(_astronaut())
    live = LiveAnalyzer(analyzer, LiveOptions(options.interval, options.detector))
    live.process(clip[0], 0.0)  # The first inference of a process is slower than all others.
    live.stop()
    return {
        "model": analyzer.model_name,
        "detector": options.detector,
        "interval": options.interval,
        "threads": threads,
        **measure(live, clip, options.seconds),
    }


def measure(
    live: LiveAnalyzer, clip: list[NDArray[np.uint8]], seconds: float
) -> dict[str, float | int]:
    """Feed a clip in real time, forwards and backwards, and return the figures.

    Frames that come late because the previous one took too long are skipped, as a camera would.

    Args:
        live: A stopped stream; it is stopped again in the end.
        clip: RGB uint8 frames of ``(480, 640, 3)``.
        seconds: How long.

    Returns:
        Frames given back per second, milliseconds of the callback, refreshes of the result per
        second, milliseconds of its age when drawn, frames overtaken before analysis, faces found.
    """
    callback: list[float] = []
    ages: list[float] = []
    answers: set[float] = set()
    faces = 0
    loop = clip + clip[-2:0:-1]
    began = time.perf_counter()
    shown = 0
    while (now := time.perf_counter() - began) < seconds:
        number = int(now * FPS)
        before = time.perf_counter()
        live.process(loop[number % len(loop)], number / FPS)
        callback.append(1000 * (time.perf_counter() - before))
        shown += 1
        snapshot = live.snapshot()
        if snapshot.result is not None:
            ages.append(snapshot.stats.result_age_ms or 0.0)
            answers.add(snapshot.history[-1].time)
            faces = max(faces, len(snapshot.result.faces))
        time.sleep(max(0.0, (number + 1) / FPS - (time.perf_counter() - began)))
    elapsed = time.perf_counter() - began
    stats = live.snapshot().stats
    live.stop()
    return {
        "output_fps": round(shown / elapsed, 2),
        "callback_ms_p50": round(float(np.percentile(callback, 50)), 2),
        "callback_ms_p95": round(float(np.percentile(callback, 95)), 2),
        "refresh_hz": round(len(answers) / elapsed, 2),
        "result_age_ms_p50": round(float(np.percentile(ages or [0], 50)), 1),
        "result_age_ms_p95": round(float(np.percentile(ages or [0], 95)), 1),
        "inference_ms_p50": round(stats.inference_ms, 1),
        "dropped": stats.dropped,
        "faces": faces,
    }


def _moving_photo(photo: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Make a clip of four seconds that moves and zooms over a photo."""
    scale = max(WIDTH / photo.shape[1], HEIGHT / photo.shape[0])
    clip = []
    for number in range(4 * FPS):
        phase = 2 * np.pi * number / (4 * FPS)
        zoom = scale * (1.1 + 0.1 * np.cos(phase))
        shift = (30 * np.sin(phase), 15 * np.sin(2 * phase))
        move = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        frame = cv2.warpAffine(photo, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        clip.append(frame.astype(np.uint8))
    return clip


def _astronaut() -> NDArray[np.uint8]:
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise ConfigError("Give --video FILE, or install scikit-image.") from error
    return astronaut()


def _read_video(path: Path) -> list[NDArray[np.uint8]]:
    """Read up to twenty seconds of a video, scaled to 640×480."""
    try:
        with av.open(str(path)) as container:
            clip = []
            for frame in container.decode(video=0):
                clip.append(frame.to_ndarray(format="rgb24", width=WIDTH, height=HEIGHT))
                if len(clip) == 20 * FPS:
                    break
    except (FFmpegError, OSError, IndexError) as error:
        raise VideoError(f"{path} can't be read as a video: {error}.") from error
    if len(clip) < 2:
        raise VideoError(f"{path} has fewer than two frames.")
    return clip
