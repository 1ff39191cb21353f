"""Many pictures and videos: read ahead, analysed together, given out in order."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.errors import EmotionError, VideoError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.video import analyze_video
from utils.media.camera import CameraReader
from utils.media.images import load_image
from utils.media.sources import Kind, Source
from utils.media.video import VideoReader
from utils.results import Failure, Outcome

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class AnalyzedFrame:
    """What became of a picture or of one frame of a video.

    Attributes:
        source: Where it came from.
        outcome: The result, or why there is none.
        image: The pixels that the result describes, RGB uint8 ``(H, W, 3)``; None if it failed.
        fps: Frames a second of a video, as its file says.
    """

    source: Source
    outcome: Outcome
    image: Picture | None = None
    fps: float | None = None


def analyze_sources(
    analyzer: EmotionAnalyzer,
    sources: Iterable[Source],
    batch_size: int = 4,
    every: int = 1,
    workers: int = 1,
) -> Iterator[AnalyzedFrame]:
    """Yield an answer for every picture and every frame of every video, in order.

    One that fails does not stop the others. Pictures are decoded and analysed in threads; at most
    ``workers + 1`` batches are in memory.

    Args:
        analyzer: Detector and classifier.
        sources: What to analyse; may be endless.
        batch_size: Pictures whose faces are classified together.
        every: Every N-th frame of a video is analysed; the others have the status ``skipped``.
        workers: Batches of images that are worked on at once, beside one that is being decoded.
    """
    with ThreadPoolExecutor(workers + 1, "pictures") as pool:
        for is_video, run in groupby(sources, lambda source: source.kind is Kind.VIDEO):
            if is_video:
                for source in run:
                    yield from _video(analyzer, source, every)
            else:
                yield from _pictures(partial(_analyze, analyzer), run, batch_size, pool, workers)


def analyze_camera(
    analyzer: EmotionAnalyzer, camera: str, every: int = 1
) -> Iterator[AnalyzedFrame]:
    """Yield an answer for each frame of a camera that there was time for, until it ends.

    Args:
        analyzer: Detector and classifier.
        camera: Number, device file or address; see ``utils.media.camera.CameraReader``.
        every: As in :func:`analyze_sources`.

    Raises:
        VideoError: The camera can't be opened or gives no pictures.
    """
    with CameraReader(camera) as reader:
        source = Source(reader.name, Kind.CAMERA, Path("camera.mp4"))
        for picture, result in analyze_video(analyzer, reader, every):
            yield AnalyzedFrame(source, result, picture.image)


def _pictures(
    analyze: Callable[[list[Source]], list[AnalyzedFrame]],
    sources: Iterator[Source],
    batch_size: int,
    pool: ThreadPoolExecutor,
    workers: int,
) -> Iterator[AnalyzedFrame]:
    waiting: deque[Future[list[AnalyzedFrame]]] = deque()
    try:
        while True:
            while len(waiting) <= workers and (batch := list(islice(sources, batch_size))):
                waiting.append(pool.submit(analyze, batch))
            if not waiting:
                return
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _read(source: Source) -> Picture:
    if source.error is not None:
        raise source.error
    if source.kind is Kind.STANDARD_INPUT:
        return load_image(sys.stdin.buffer.read(), name="standard input")
    if source.read is not None:
        return load_image(source.read(), name=source.name)
    return load_image(Path(source.name))


def _analyze(analyzer: EmotionAnalyzer, batch: list[Source]) -> list[AnalyzedFrame]:
    images: dict[int, Picture] = {}
    failures: dict[int, Failure] = {}
    for i, source in enumerate(batch):
        try:
            images[i] = _read(source)
        except EmotionError as error:
            failures[i] = Failure.of(source.name, error)
    results = analyzer.analyze_batch(list(images.values()), [batch[i].name for i in images])
    answered = dict(zip(images, results, strict=True))
    return [
        AnalyzedFrame(source, failures.get(i) or answered[i], images.get(i))
        for i, source in enumerate(batch)
    ]


def _video(analyzer: EmotionAnalyzer, source: Source, every: int) -> Iterator[AnalyzedFrame]:
    try:
        with VideoReader(Path(source.name)) as video:
            for picture, result in analyze_video(analyzer, video, every):
                yield AnalyzedFrame(source, result, picture.image, video.fps)
            if video.problem:
                raise VideoError(video.problem)
    except EmotionError as error:
        yield AnalyzedFrame(source, Failure.of(source.name, error))
