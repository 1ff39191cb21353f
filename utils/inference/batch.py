"""Many images and videos: read ahead, analysed in batches, returned in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from utils.concurrency import MemoryBudget
from utils.defaults import IMAGE_MEMORY
from utils.errors import EmotionError, VideoError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.video import analyze_video
from utils.media.camera import CameraReader
from utils.media.images import MAX_PIXELS, Image, ImageMemory, load_image, memory_of
from utils.media.sources import Kind, Source, read_standard_input
from utils.media.video import VideoReader
from utils.results import Failure, Outcome

# Of all runs of this process together.
_memory = MemoryBudget(IMAGE_MEMORY)


@dataclass(frozen=True)
class AnalyzedFrame:
    """An image or one frame of a video, with its result.

    Attributes:
        source: Where it came from.
        outcome: The result, or why there is none.
        image: The pixels that the result describes, RGB uint8 ``(H, W, 3)``; None if it failed.
        fps: Frame rate of the video, from its header; None for images, cameras and failures.
        arrived: When a camera's frame arrived, in seconds of ``time.monotonic``; None otherwise.
    """

    source: Source
    outcome: Outcome
    image: Image | None = None
    fps: float | None = None
    arrived: float | None = None


def analyze_sources(
    analyzer: EmotionAnalyzer,
    sources: Iterable[Source],
    *,
    batch_size: int = 4,
    every: int = 1,
    workers: int = 1,
) -> Iterator[AnalyzedFrame]:
    """Analyse images and videos; one that fails does not stop the others.

    Images are decoded and analysed in threads; at most ``workers + 1`` batches are in memory. All
    runs of a process together hold at most ``IMAGE_MEMORY`` bytes of images, unless a single one
    takes more, and wait for each other. A run that is not continued keeps its share until it is
    closed.

    Args:
        analyzer: Detector and classifier.
        sources: What to analyse; may be endless.
        batch_size: Number of images whose faces are classified together.
        every: Every N-th frame of a video is analysed; the others have the status ``skipped``.
        workers: Number of batches that are analysed at once, while another one is being decoded.

    Yields:
        Every image and every frame of every video, in order.
    """
    with ThreadPoolExecutor(workers + 1, "images") as pool:
        for is_video, run in groupby(sources, lambda source: source.kind is Kind.VIDEO):
            if is_video:
                for source in run:
                    yield from _video(analyzer, source, every)
            else:
                batches = _batches(run, batch_size, _memory.limit // (workers + 1))
                yield from _images(partial(_analyze, analyzer), batches, pool=pool, ahead=workers)


def analyze_camera(
    analyzer: EmotionAnalyzer, camera: str, *, every: int = 1
) -> Iterator[AnalyzedFrame]:
    """Analyse the newest frame of a camera again and again, until the camera ends.

    Args:
        analyzer: Detector and classifier.
        camera: Number, device file or address; see ``utils.media.camera.CameraReader``.
        every: Every N-th frame is analysed; the others have the status ``skipped``.

    Yields:
        The frames; those that arrive during an analysis are dropped.

    Raises:
        VideoError: The camera can't be opened or gives no frames.
    """
    with CameraReader(camera) as reader:
        source = Source(reader.name, Kind.CAMERA, Path("camera.mp4"))
        for frame, result in analyze_video(analyzer, reader, every=every):
            yield AnalyzedFrame(source, result, frame.image, arrived=frame.arrived)


@dataclass(frozen=True)
class _Batch:
    """Images that are decoded one after the other and classified together."""

    sources: tuple[Source, ...] = ()
    pixels: int = 0
    decoding: int = 0

    @property
    def memory(self) -> int:
        """Bytes that it takes until its results are used, at most."""
        return self.pixels + self.decoding

    def with_source(self, source: Source) -> "_Batch":
        needed = _memory_of(source)
        decoding = max(self.decoding, needed.decoding)
        return _Batch((*self.sources, source), self.pixels + needed.pixels, decoding)


def _batches(sources: Iterator[Source], size: int, limit: int) -> Iterator[_Batch]:
    """Group sources; a batch of several images takes no more memory than the limit."""
    batch = _Batch()
    for source in sources:
        longer = batch.with_source(source)
        if batch.sources and (len(batch.sources) == size or longer.memory > limit):
            yield batch
            longer = _Batch().with_source(source)
        batch = longer
    if batch.sources:
        yield batch


def _images(
    analyze: Callable[[Sequence[Source]], list[AnalyzedFrame]],
    batches: Iterator[_Batch],
    *,
    pool: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[AnalyzedFrame]:
    waiting: deque[tuple[int, Future[list[AnalyzedFrame]]]] = deque()
    batch = next(batches, None)
    try:
        while batch or waiting:
            # Without images of its own, a run waits for the memory of others.
            while (
                batch
                and len(waiting) <= ahead
                and _memory.acquire(batch.memory, timeout=0 if waiting else None)
            ):
                waiting.append((batch.memory, pool.submit(analyze, batch.sources)))
                batch = next(batches, None)
            memory, future = waiting[0]
            yield from future.result()
            del future
            waiting.popleft()
            _memory.release(memory)
    finally:
        for memory, future in waiting:
            future.cancel()
            # What is being analysed keeps its memory until then.
            future.add_done_callback(lambda _, size=memory: _memory.release(size))  # type: ignore[misc]


def _memory_of(source: Source) -> ImageMemory:
    if source.error is not None:
        return ImageMemory(0, 0)
    if source.kind is Kind.STANDARD_INPUT:  # can't be read twice
        return ImageMemory(3 * MAX_PIXELS, 0)
    try:
        return memory_of(source.read() if source.read else source.name)
    except EmotionError:
        return ImageMemory(0, 0)


def _read(source: Source) -> Image:
    if source.error is not None:
        raise source.error
    if source.kind is Kind.STANDARD_INPUT:
        return load_image(read_standard_input(), name="standard input")
    if source.read is not None:
        return load_image(source.read(), name=source.name)
    return load_image(Path(source.name))


def _analyze(analyzer: EmotionAnalyzer, batch: Sequence[Source]) -> list[AnalyzedFrame]:
    images: dict[int, Image] = {}
    failures: dict[int, Failure] = {}
    for i, source in enumerate(batch):
        try:
            images[i] = _read(source)
        except EmotionError as error:
            failures[i] = Failure.of(source.name, error)
    results = analyzer.analyze_batch(list(images.values()), [batch[i].name for i in images])
    outcomes: dict[int, Outcome] = failures | dict(zip(images, results, strict=True))
    return [AnalyzedFrame(source, outcomes[i], images.get(i)) for i, source in enumerate(batch)]


def _video(analyzer: EmotionAnalyzer, source: Source, every: int) -> Iterator[AnalyzedFrame]:
    try:
        with VideoReader(Path(source.name)) as video:
            for frame, result in analyze_video(analyzer, video, every=every):
                yield AnalyzedFrame(source, result, frame.image, video.fps)
            if video.problem:
                raise VideoError(video.problem)
    except EmotionError as error:
        yield AnalyzedFrame(source, Failure.of(source.name, error))
