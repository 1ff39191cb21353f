"""How fast live video runs: ``python backend/benchmark.py --live``.

A 640×480 clip is fed at its real rate through the same object that the live page's callback uses,
once for each stream, each from a thread of its own as a camera would.
"""

import argparse
import math
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.benchmarks.peers import time_peers
from utils.concurrency import FairLock, StreamLimit
from utils.defaults import MAX_STREAMS
from utils.devices import limit_threads
from utils.errors import ConfigError, VideoError
from utils.inference.analyzer import LIVE_MIN_FACE, EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.tracking import box_iou
from utils.media.drawing import annotate
from utils.media.video import VideoReader
from utils.memory import memory_mb

FPS = 30
WIDTH, HEIGHT = 640, 480
_STAGE_FRAMES = 30
FACE = slice(20, 240), slice(120, 340)  # rows and columns of it in the astronaut's photo

Clip = list[NDArray[np.uint8]]


@dataclass
class Record:
    """What one stream did; times in milliseconds.

    Attributes:
        shown: Frames given back.
        callbacks: How long each took.
        ages: How old the newest result was each time.
        answers: Media times of the results.
        dropped: Frames overtaken before analysis.
        faces: Most faces seen at once.
        boxes: The largest face's box as drawn, by number of the picture within the clip.
        error: The last error, if any.
    """

    shown: int = 0
    callbacks: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    answers: set[float] = field(default_factory=set)
    dropped: int = 0
    faces: int = 0
    boxes: dict[int, tuple[float, ...]] = field(default_factory=dict)
    error: str | None = None


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
    if options.streams < 1 or options.faces < 1:
        raise ConfigError("--streams and --faces must be at least 1.")
    threads = limit_threads(options.threads[0] if options.threads else None)
    analyzer = EmotionAnalyzer.load(
        options.model, detector=options.detector, min_face=LIVE_MIN_FACE, threads=threads
    )
    clip = read_clip(options.video) if options.video else example_clip(options.faces)
    return {
        "model": analyzer.model_name,
        "detector": options.detector,
        "interval": options.interval,
        "threads": threads,
        "streams": options.streams,
        **_stages(analyzer, clip),
        **measure(analyzer, clip, options),
        **(time_peers(clip[:: len(clip) // 10]) if options.peers else {}),
    }


def measure(
    analyzer: EmotionAnalyzer, clip: Clip, options: argparse.Namespace
) -> dict[str, float | int | str | None]:
    """Feed a clip in real time into all streams, forwards and backwards, and return the figures.

    Args:
        analyzer: Shared by the streams.
        clip: RGB uint8 frames of ``(480, 640, 3)``.
        options: ``interval``, ``detector``, ``seconds`` and ``streams``.

    Returns:
        Frames given back per second and stream (mean, and of the slowest stream), milliseconds of
        the callback, refreshes of the result per second and stream, milliseconds of its age when
        drawn, overlap of the drawn boxes with the detector's for the same pictures, frames
        overtaken before analysis, faces found, percent of one core, memory in MB.
    """
    lock, limit = FairLock(), StreamLimit(max(MAX_STREAMS, options.streams))
    live_options = LiveOptions(options.interval, options.detector)
    first = LiveAnalyzer(analyzer, live_options, lock=lock, limit=limit)
    first.process(clip[0], 0.0)  # the first inference of a process is slower than all others
    first.stop()
    records = [Record() for _ in range(options.streams)]
    threads = []
    for number, record in enumerate(records):
        live = LiveAnalyzer(analyzer, live_options, lock=lock, limit=limit)
        begin = number * len(clip) // options.streams
        own = clip[begin:] + clip[:begin]
        work = threading.Thread(target=_feed, args=(live, own, options.seconds, record))
        threads.append(work)
    memory, before = memory_mb(), time.process_time()
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    cpu = 100 * (time.process_time() - before) / elapsed
    return _figures(records, elapsed) | {
        "box_overlap": round(box_overlap(analyzer, clip, records[0].boxes), 3),
        "cpu_percent": round(cpu, 1),
        "rss_mb_start": memory,
        "rss_mb_end": memory_mb(),
    }


def _feed(live: LiveAnalyzer, clip: Clip, seconds: float, record: Record) -> None:
    """Show a clip to a stream; frames that come late are skipped, as a camera would."""
    began = time.perf_counter()
    while (now := time.perf_counter() - began) < seconds:
        number = int(now * FPS)
        before = time.perf_counter()
        live.process(clip[picture_of(number, len(clip))], number / FPS)
        record.callbacks.append(1000 * (time.perf_counter() - before))
        record.shown += 1
        snapshot = live.snapshot()
        if snapshot.result is not None:
            record.ages.append(snapshot.stats.result_age_ms or 0.0)
            record.answers.add(snapshot.history[-1].time)
            record.faces = max(record.faces, len(snapshot.result.faces))
            if snapshot.result.faces:
                largest = max(snapshot.result.faces, key=lambda face: _area(face.box))
                record.boxes[picture_of(number, len(clip))] = largest.box
        time.sleep(max(0.0, (number + 1) / FPS - (time.perf_counter() - began)))
    snapshot = live.snapshot()
    record.dropped, record.error = snapshot.stats.dropped, snapshot.error
    live.stop()


def picture_of(number: int, length: int) -> int:
    """Return which picture of a clip comes as the ``number``-th, forwards and backwards."""
    place = number % (2 * length - 2)
    return min(place, 2 * length - 2 - place)


def _area(box: tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def box_overlap(
    analyzer: EmotionAnalyzer, clip: Clip, boxes: dict[int, tuple[float, ...]]
) -> float:
    """Return the mean overlap of drawn boxes with what the detector finds in the same pictures."""
    shares = []
    for number, box in boxes.items():
        found = analyzer.detect(clip[number]).boxes
        if len(found):
            shares.append(float(box_iou(np.array([box], np.float32), found).max()))
    return float(np.mean(shares)) if shares else 0.0


def _figures(records: list[Record], elapsed: float) -> dict[str, float | int | str | None]:
    callbacks = [value for record in records for value in record.callbacks]
    ages = [value for record in records for value in record.ages] or [0.0]
    rates = [record.shown / elapsed for record in records]
    return {
        "output_fps": round(float(np.mean(rates)), 2),
        "output_fps_slowest": round(min(rates), 2),
        "callback_p50_ms": round(float(np.percentile(callbacks, 50)), 2),
        "callback_p95_ms": round(float(np.percentile(callbacks, 95)), 2),
        "refresh_hz": round(sum(len(r.answers) for r in records) / elapsed / len(records), 2),
        "result_age_p50_ms": round(float(np.percentile(ages, 50)), 1),
        "result_age_p95_ms": round(float(np.percentile(ages, 95)), 1),
        "dropped": sum(record.dropped for record in records),
        "faces": max(record.faces for record in records),
        "error": next((record.error for record in records if record.error), None),
    }


def _stages(analyzer: EmotionAnalyzer, clip: Clip) -> dict[str, float]:
    """Return the median milliseconds of each stage for a frame, alone on the machine."""
    found = [analyzer.detect(image) for image in clip[:_STAGE_FRAMES]]
    boxes = [item.boxes for item in found]
    result = analyzer.analyze(clip[0])
    times: dict[str, list[float]] = {"detector_ms": [], "classifier_ms": [], "draw_ms": []}
    for image, box in zip(clip[:_STAGE_FRAMES], boxes, strict=True):
        marks = [time.perf_counter()]
        analyzer.detect(image)
        marks.append(time.perf_counter())
        analyzer.classifier.predict(analyzer.crops(image, box))
        marks.append(time.perf_counter())
        annotate(image, result)
        marks.append(time.perf_counter())
        for name, span in zip(times, np.diff(marks), strict=True):
            times[name].append(1000 * float(span))
    return {name: round(float(np.median(values)), 2) for name, values in times.items()}


def moving_photo(photo: NDArray[np.uint8], faces: int = 1) -> Clip:
    """Make a clip of four seconds that moves and zooms over copies of a photo, side by side."""
    columns = math.ceil(math.sqrt(faces * WIDTH / HEIGHT)) if faces > 1 else 1
    rows = math.ceil(faces / columns)
    tiles = [photo if i < faces else np.zeros_like(photo) for i in range(rows * columns)]
    sheet = np.vstack([np.hstack(tiles[r * columns : (r + 1) * columns]) for r in range(rows)])
    fit = min if faces > 1 else max
    scale = fit(WIDTH / sheet.shape[1], HEIGHT / sheet.shape[0])
    clip = []
    for number in range(4 * FPS):
        phase = 2 * np.pi * number / (4 * FPS)
        zoom = scale * (1 + (0.1 + 0.1 * np.cos(phase)) * (faces == 1))
        shift = (30 * np.sin(phase) / columns, 15 * np.sin(2 * phase) / columns)
        move = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        frame = cv2.warpAffine(
            sheet, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        clip.append(frame.astype(np.uint8))
    return clip


def example_clip(faces: int) -> Clip:
    """Return a clip made of scikit-image's photo of an astronaut, with so many faces.

    Raises:
        ConfigError: scikit-image is not installed.
    """
    photo = _astronaut()
    return moving_photo(photo if faces == 1 else photo[FACE], faces)


def _astronaut() -> NDArray[np.uint8]:
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise ConfigError("Give --video FILE, or install scikit-image.") from error
    picture: NDArray[np.uint8] = astronaut()
    return picture


def read_clip(path: Path) -> Clip:
    """Read up to twenty seconds of a video, scaled to 640×480.

    Raises:
        VideoError: The video can't be read or is too short.
    """
    clip: Clip = []
    with VideoReader(path) as video:
        for frame in video:
            clip.append(np.asarray(cv2.resize(frame.image, (WIDTH, HEIGHT)), np.uint8))
            if len(clip) == 20 * FPS:
                break
    if len(clip) < 2:
        raise VideoError(f"{path}: has fewer than two pictures")
    return clip
