"""Several live streams at the same time.

A 640x480 clip is fed in real time to the object that the callback of the live page uses: one for
each stream, each from a thread of its own, as a camera would feed it.
"""

import threading
import time
from dataclasses import dataclass, field

import numpy as np

from backend.benchmarks.clip import FPS, Clip, frame_index
from backend.benchmarks.config import BenchmarkLiveConfig
from utils.concurrency import FairLock, StreamLimit
from utils.defaults import MAX_STREAMS
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.tracking.tracker import box_iou
from utils.memory import memory_mb
from utils.results import Box


@dataclass(frozen=True)
class StreamMeasurements:
    """What all streams achieved together.

    Attributes:
        output_fps: Frames shown per second and stream, mean.
        output_fps_slowest: Frames shown per second by the slowest stream.
        callback_p50_ms: Median time of the callback.
        callback_p95_ms: Its 95th percentile.
        refresh_hz: New results per second and stream.
        result_age_p50_ms: Median age of the result that is drawn.
        result_age_p95_ms: Its 95th percentile.
        dropped: Frames that newer ones replaced before they were analysed.
        faces: Most faces in one result.
        error: The first stream's last error; None without any.
        box_overlap: Mean IoU of the drawn boxes with those detected in the same frames.
        cpu_percent: CPU time, in percent of one core.
        rss_mb_start: Resident memory at the beginning; None where the system does not report it.
        rss_mb_end: Resident memory at the end; None where the system does not report it.
    """

    output_fps: float
    output_fps_slowest: float
    callback_p50_ms: float
    callback_p95_ms: float
    refresh_hz: float
    result_age_p50_ms: float
    result_age_p95_ms: float
    dropped: int
    faces: int
    error: str | None
    box_overlap: float
    cpu_percent: float
    rss_mb_start: float | None
    rss_mb_end: float | None


@dataclass
class _StreamLog:
    """What one stream did.

    Attributes:
        shown: Frames shown.
        callbacks_ms: Time of each callback.
        ages_ms: Age of the newest result at each callback.
        result_times: Media times of the results.
        dropped: Frames that newer ones replaced before they were analysed.
        faces: Most faces in one result.
        boxes: Box of the largest face as drawn, by index of the frame in the clip.
        error: The last error, if any.
    """

    shown: int = 0
    callbacks_ms: list[float] = field(default_factory=list)
    ages_ms: list[float] = field(default_factory=list)
    result_times: set[float] = field(default_factory=set)
    dropped: int = 0
    faces: int = 0
    boxes: dict[int, Box] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class _Load:
    """What the process used while the streams ran."""

    seconds: float
    cpu_percent: float
    rss_mb_start: float | None
    rss_mb_end: float | None


def measure_streams(
    analyzer: EmotionAnalyzer, clip: Clip, *, config: BenchmarkLiveConfig
) -> StreamMeasurements:
    """Feed a clip to all streams in real time, forwards and backwards.

    Args:
        analyzer: Shared by the streams.
        clip: RGB uint8 frames of ``(480, 640, 3)``.
        config: The number of streams, how long they run, the interval and the detector.
    """
    lock, limit = FairLock(), StreamLimit(max(MAX_STREAMS, config.streams))
    options = LiveOptions(config.interval, config.detector)
    # The first inference of a process is slower than all others.
    warm_up = LiveAnalyzer(analyzer, options, lock=lock, limit=limit)
    warm_up.process(clip[0], 0.0)
    warm_up.stop()
    logs = [_StreamLog() for _ in range(config.streams)]
    threads = []
    for number, log in enumerate(logs):
        live = LiveAnalyzer(analyzer, options, lock=lock, limit=limit)
        start = number * len(clip) // config.streams
        shifted = clip[start:] + clip[:start]
        thread = threading.Thread(
            target=_feed, args=(live, shifted), kwargs={"seconds": config.seconds, "log": log}
        )
        threads.append(thread)
    load = _run(threads)
    overlap = _mean_overlap(analyzer, clip, boxes=logs[0].boxes)
    return _summarize(logs, load, overlap=overlap)


def _run(threads: list[threading.Thread]) -> _Load:
    memory, cpu_start, start = memory_mb(), time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    cpu_percent = 100 * (time.process_time() - cpu_start) / seconds
    return _Load(seconds, cpu_percent, memory, memory_mb())


def _feed(live: LiveAnalyzer, clip: Clip, *, seconds: float, log: _StreamLog) -> None:
    """Show a clip to a stream; frames that come late are skipped, as with a camera."""
    start = time.perf_counter()
    while (now := time.perf_counter() - start) < seconds:
        number = int(now * FPS)
        index = frame_index(number, len(clip))
        before = time.perf_counter()
        live.process(clip[index], number / FPS)
        log.callbacks_ms.append(1000 * (time.perf_counter() - before))
        log.shown += 1
        _log_result(live, log, index=index)
        time.sleep(max(0.0, (number + 1) / FPS - (time.perf_counter() - start)))
    snapshot = live.snapshot()
    log.dropped, log.error = snapshot.stats.dropped, snapshot.error
    live.stop()


def _log_result(live: LiveAnalyzer, log: _StreamLog, *, index: int) -> None:
    snapshot = live.snapshot()
    if snapshot.result is None:
        return
    log.ages_ms.append(snapshot.stats.result_age_ms or 0.0)
    log.result_times.add(snapshot.history[-1].time)
    log.faces = max(log.faces, len(snapshot.result.faces))
    if snapshot.result.faces:
        log.boxes[index] = max((face.box for face in snapshot.result.faces), key=_area)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _mean_overlap(analyzer: EmotionAnalyzer, clip: Clip, *, boxes: dict[int, Box]) -> float:
    """Return the mean IoU of drawn boxes with the best detected box of the same frame."""
    overlaps = []
    for index, box in boxes.items():
        detected = analyzer.detect(clip[index]).boxes
        if len(detected):
            overlaps.append(float(box_iou(np.array([box], np.float32), detected).max()))
    return float(np.mean(overlaps)) if overlaps else 0.0


def _summarize(logs: list[_StreamLog], load: _Load, *, overlap: float) -> StreamMeasurements:
    callbacks = [value for log in logs for value in log.callbacks_ms]
    ages = [value for log in logs for value in log.ages_ms] or [0.0]
    rates = [log.shown / load.seconds for log in logs]
    results = sum(len(log.result_times) for log in logs)
    return StreamMeasurements(
        output_fps=round(float(np.mean(rates)), 2),
        output_fps_slowest=round(min(rates), 2),
        callback_p50_ms=round(float(np.percentile(callbacks, 50)), 2),
        callback_p95_ms=round(float(np.percentile(callbacks, 95)), 2),
        refresh_hz=round(results / load.seconds / len(logs), 2),
        result_age_p50_ms=round(float(np.percentile(ages, 50)), 1),
        result_age_p95_ms=round(float(np.percentile(ages, 95)), 1),
        dropped=sum(log.dropped for log in logs),
        faces=max(log.faces for log in logs),
        error=next((log.error for log in logs if log.error), None),
        box_overlap=round(overlap, 3),
        cpu_percent=round(load.cpu_percent, 1),
        rss_mb_start=load.rss_mb_start,
        rss_mb_end=load.rss_mb_end,
    )
