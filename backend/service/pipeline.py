"""Requests that come at the same time are analysed together, in bounded memory and time."""

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

# Pictures analysed together: more make each wait longer and none faster.
MAX_BATCH = 8


@dataclass
class _Task:
    image: NDArray[np.uint8]
    name: str | None
    detector: str
    answer: Future[FrameResult] = field(default_factory=Future)


class BatchWorker:
    """Threads that take what is waiting, up to ``MAX_BATCH`` pictures, and analyse it together.

    Nothing waits for a batch to fill: while one is analysed the next gathers.

    Args:
        analyzer: Detector and classifier.
        workers: Threads.
        on_batch: Told the size of each batch.
    """

    def __init__(
        self, analyzer: EmotionAnalyzer, workers: int, on_batch: Callable[[int], None]
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
        """Put a picture into the next batch."""
        self._tasks.put(task)

    def close(self) -> None:
        """End the threads after what is waiting."""
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
            # A client that went away cancelled its task.
            live = [task for task in batch if task.answer.set_running_or_notify_cancel()]
            for detector in dict.fromkeys(task.detector for task in live):
                self._analyze([task for task in live if task.detector == detector])

    def _analyze(self, tasks: list[_Task]) -> None:
        self._on_batch(len(tasks))
        try:
            analyzer = self._analyzer.with_detector(tasks[0].detector)
            results = analyzer.analyze_batch(
                [task.image for task in tasks], [task.name for task in tasks]
            )
        except Exception as error:
            for task in tasks:
                task.answer.set_exception(error)
            return
        for task, result in zip(tasks, results, strict=True):
            task.answer.set_result(result)


class Pipeline:
    """Decodes and analyses the pictures of concurrent requests.

    At most ``2 * MAX_BATCH`` decoded pictures are in memory; further requests wait in a line, and
    when that is full, or they waited too long, they are refused. To be used by the event loop.

    Args:
        worker: Analyses the decoded pictures.
        max_pixels: Larger pictures are refused.
        max_queue: Length of the line.
        deadline: Seconds that a request may wait in it.
    """

    def __init__(
        self, worker: BatchWorker, max_pixels: int, max_queue: int, deadline: float
    ) -> None:
        self._worker, self._max_pixels = worker, max_pixels
        self._max_queue, self._deadline = max_queue, deadline
        self._places = asyncio.Semaphore(2 * MAX_BATCH)
        self._decoders = ThreadPoolExecutor(2, "decoder")
        self.waiting = 0

    def check_room(self) -> None:
        """Refuse a request while the line is full.

        Raises:
            OverloadedError: It is.
        """
        if self.waiting >= self._max_queue:
            raise OverloadedError("Too many requests are waiting; try again in a second.")

    async def analyze(
        self, data: bytes, name: str | None, detector: str, patient: bool = False
    ) -> FrameResult:
        """Return the result of a picture.

        Args:
            data: The bytes of its file.
            name: What the result and messages call it.
            detector: Name of the face detector.
            patient: Wait for a place as long as it takes, as one of many of a request that was let
                in already.

        Raises:
            ImageError: The picture can't be used.
            OverloadedError: The line is full, or it took too long.
        """
        if not patient:
            self.check_room()
        await self._enter(patient)
        try:
            loop = asyncio.get_running_loop()
            decode = partial(load_image, data, max_pixels=self._max_pixels, name=name)
            task = _Task(await loop.run_in_executor(self._decoders, decode), name, detector)
            self._worker.submit(task)
            return await asyncio.wrap_future(task.answer)
        finally:
            self._places.release()

    async def _enter(self, patient: bool) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        self.waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), None if patient else self._deadline)
        except asyncio.TimeoutError as error:
            raise OverloadedError(
                "The request waited too long; try again in a few seconds.", 3
            ) from error
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._decoders.shutdown(wait=False, cancel_futures=True)
        self._worker.close()
