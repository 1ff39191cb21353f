"""Analyses the images of concurrent requests together, in bounded memory and time."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.service.errors import OverloadedError
from utils.concurrency import MemoryBudget
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.images import load_image, memory_of
from utils.results import FrameResult

# Larger batches make each request wait longer without raising the throughput.
MAX_BATCH = 8
_MEMORY_FULL = "The memory for images is in use; try again in a few seconds."


@contextmanager
def image_memory(memory: MemoryBudget, size: int, *, timeout: float) -> Iterator[None]:
    """Hold memory for decoded images inside a ``with`` block.

    Args:
        memory: The service's memory for images.
        size: Number of bytes.
        timeout: Seconds to wait for them.

    Raises:
        OverloadedError: The bytes were not granted in time.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(memory.reserve(size, timeout=timeout))
        except TimeoutError as error:
            raise OverloadedError(_MEMORY_FULL, 3) from error
        yield


@dataclass
class _EncodedImage:
    data: bytes
    name: str | None
    detector: str
    timeout: float | None
    future: Future[FrameResult] = field(default_factory=Future)


@dataclass
class DecodedImage:
    """An image that waits to be analysed.

    Attributes:
        image: RGB uint8 ``(H, W, 3)``.
        name: What its result calls it.
        detector: Name of the face detector.
        future: Becomes its result.
    """

    image: NDArray[np.uint8]
    name: str | None
    detector: str
    future: Future[FrameResult]


class BatchWorker:
    """Threads that take what is queued, up to ``MAX_BATCH`` images, and analyse it together.

    They never wait for a batch to fill: while one is analysed, the next one gathers.

    Args:
        analyzer: Detector and classifier.
        workers: Number of threads.
        on_batch: Called with the size of each batch.
    """

    def __init__(
        self, analyzer: EmotionAnalyzer, workers: int, *, on_batch: Callable[[int], None]
    ) -> None:
        self._analyzer, self._on_batch = analyzer, on_batch
        self._tasks: queue.SimpleQueue[DecodedImage | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name="analysis", daemon=True)
            for _ in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: DecodedImage) -> None:
        """Queue an image for the next batch."""
        self._tasks.put(task)

    def close(self) -> None:
        """Stop the threads once the queue is empty."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._next_batch():
            for detector in dict.fromkeys(task.detector for task in batch):
                self._analyze([task for task in batch if task.detector == detector])
            # The images would be kept until the next one arrives.
            batch.clear()

    def _next_batch(self) -> list[DecodedImage]:
        """Wait for images; an empty batch means that the threads have to stop."""
        first = self._tasks.get()
        batch = [] if first is None else [first]
        while 0 < len(batch) < MAX_BATCH:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                break
            if task is None:
                self._tasks.put(None)
                break
            batch.append(task)
        return batch

    def _analyze(self, tasks: list[DecodedImage]) -> None:
        self._on_batch(len(tasks))
        try:
            analyzer = self._analyzer.with_detector(tasks[0].detector)
            results = analyzer.analyze_batch(
                [task.image for task in tasks], [task.name for task in tasks]
            )
        except Exception as error:
            for task in tasks:
                task.future.set_exception(error)
            return
        for task, result in zip(tasks, results, strict=True):
            task.future.set_result(result)


class Pipeline:
    """Decodes and analyses the images of concurrent requests; used by the event loop only.

    At most ``2 * MAX_BATCH`` images are decoded or analysed at once, one per slot. Further requests
    are queued; a request is refused when the queue is full, or when it waited longer than the
    deadline.

    Args:
        worker: Analyses the decoded images.
        max_pixels: Larger images are refused.
        memory: The memory of decoded images.
        max_queue: Length of the queue.
        deadline: Seconds that a request may be queued, and then wait for memory.
    """

    def __init__(
        self,
        worker: BatchWorker,
        max_pixels: int,
        *,
        memory: MemoryBudget,
        max_queue: int,
        deadline: float,
    ) -> None:
        self._worker, self._max_pixels, self._memory = worker, max_pixels, memory
        self._max_queue, self._deadline = max_queue, deadline
        self._slots = asyncio.Semaphore(2 * MAX_BATCH)
        self._decoders = ThreadPoolExecutor(2, "decoder")
        self.waiting = 0

    def check_queue(self) -> None:
        """Refuse a request when the queue is full.

        Raises:
            OverloadedError: It is.
        """
        if self.waiting >= self._max_queue:
            raise OverloadedError("The queue is full; try again in a second.")

    async def analyze(
        self, data: bytes, name: str | None, *, detector: str, admitted: bool = False
    ) -> FrameResult:
        """Return the result of an image.

        Args:
            data: The bytes of its file.
            name: What the result and messages call it.
            detector: Name of the face detector.
            admitted: The image belongs to a request that was admitted already: it is not refused,
                and waits for a slot and for memory as long as it takes.

        Raises:
            ImageError: The image can't be used.
            OverloadedError: The queue is full, or the deadline has passed.
        """
        if not admitted:
            self.check_queue()
        timeout = None if admitted else self._deadline
        await self._acquire_slot(timeout)
        try:
            file = _EncodedImage(data, name, detector, timeout)
            self._decoders.submit(self._decode, file)
            return await asyncio.wrap_future(file.future)
        finally:
            self._slots.release()

    def _decode(self, file: _EncodedImage) -> None:
        if not file.future.set_running_or_notify_cancel():
            return  # the client has disconnected
        try:
            needed = memory_of(file.data, max_pixels=self._max_pixels)
            if not self._memory.acquire(needed.pixels + needed.decoding, timeout=file.timeout):
                raise OverloadedError(_MEMORY_FULL, 3)
            file.future.add_done_callback(lambda _: self._memory.release(needed.pixels))
            try:
                image = load_image(file.data, max_pixels=self._max_pixels, name=file.name)
            finally:
                self._memory.release(needed.decoding)
        except Exception as error:
            file.future.set_exception(error)
        else:
            self._worker.submit(DecodedImage(image, file.name, file.detector, file.future))

    async def _acquire_slot(self, timeout: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        self.waiting += 1
        try:
            await asyncio.wait_for(self._slots.acquire(), timeout)
        except asyncio.TimeoutError as error:
            raise OverloadedError(
                "The request was queued for too long; try again in a few seconds.", 3
            ) from error
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Stop the threads."""
        # Decoders may wait for memory, which the workers release.
        self._decoders.shutdown(cancel_futures=True)
        self._worker.close()
