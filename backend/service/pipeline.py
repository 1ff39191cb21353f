"""Analyses the images of concurrent requests together, in bounded memory and time."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from backend.service.errors import OverloadedError
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.images import load_image
from utils.results import FrameResult

# Larger batches make each request wait longer without raising the throughput.
MAX_BATCH = 8


@dataclass
class _Task:
    image: NDArray[np.uint8]
    name: str | None
    detector: str
    future: Future[FrameResult] = field(default_factory=Future)


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
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name="analysis", daemon=True)
            for _ in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: _Task) -> None:
        """Queue an image for the next batch."""
        self._tasks.put(task)

    def close(self) -> None:
        """Stop the threads once the queue is empty."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (first := self._tasks.get()) is not None:
            batch = [first]
            while len(batch) < MAX_BATCH:
                try:
                    task = self._tasks.get_nowait()
                except queue.Empty:
                    break
                if task is None:
                    self._tasks.put(None)
                    break
                batch.append(task)
            # The future of a client that disconnected is cancelled.
            active = [task for task in batch if task.future.set_running_or_notify_cancel()]
            for detector in dict.fromkeys(task.detector for task in active):
                self._analyze([task for task in active if task.detector == detector])

    def _analyze(self, tasks: list[_Task]) -> None:
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

    At most ``2 * MAX_BATCH`` decoded images are in memory, one per slot. Further requests are
    queued; a request is refused when the queue is full, or when it waited longer than the deadline.

    Args:
        worker: Analyses the decoded images.
        max_pixels: Larger images are refused.
        max_queue: Length of the queue.
        deadline: Seconds that a request may be queued.
    """

    def __init__(
        self, worker: BatchWorker, max_pixels: int, *, max_queue: int, deadline: float
    ) -> None:
        self._worker, self._max_pixels = worker, max_pixels
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
                and waits for a slot as long as it takes.

        Raises:
            ImageError: The image can't be used.
            OverloadedError: The queue is full, or the deadline has passed.
        """
        if not admitted:
            self.check_queue()
        await self._acquire_slot(None if admitted else self._deadline)
        try:
            loop = asyncio.get_running_loop()
            decode = partial(load_image, data, max_pixels=self._max_pixels, name=name)
            task = _Task(await loop.run_in_executor(self._decoders, decode), name, detector)
            self._worker.submit(task)
            return await asyncio.wrap_future(task.future)
        finally:
            self._slots.release()

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
        self._decoders.shutdown(wait=False, cancel_futures=True)
        self._worker.close()
