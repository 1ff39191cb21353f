"""What all requests of one running service share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fastapi import Request

from backend.service.access import AccessControl
from backend.service.errors import NotReadyError
from backend.service.metrics import ServiceMetrics
from backend.service.pipeline import BatchWorker, Pipeline
from backend.service.settings import ServiceSettings
from utils.concurrency import FairLock, MemoryBudget, StreamLimit
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.server_analyzers import load_analyzers
from utils.settings import Settings


@dataclass
class Engine:
    """The loaded model and the threads that use it.

    Attributes:
        images: For images: detects small faces too.
        live: For videos and streams: the same model, faster detection.
        pipeline: Analyses the images of requests.
        limit: How many live streams may run at once.
        lock: Held by a live stream during inference.
        clips: The only thread that analyses clips.
    """

    images: EmotionAnalyzer
    live: EmotionAnalyzer
    pipeline: Pipeline
    limit: StreamLimit
    lock: FairLock = field(default_factory=FairLock)
    clips: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "clips"))

    def close(self) -> None:
        """Stop the threads."""
        self.clips.shutdown(wait=False, cancel_futures=True)
        self.pipeline.close()


@dataclass
class State:
    """The settings, the counters, and the engine once it is loaded.

    Attributes:
        settings: Limits and access.
        model_settings: Which model and detector.
        access: Which requests may pass.
        metrics: What Prometheus collects.
        engine: The loaded model; None until then.
        load_error: Why the model can't be loaded; None if it can.
        pending_clips: Requests for clips that are waiting or being analysed.
        on_load_error: Called when the model can't be loaded.
        bodies: The memory of the bodies that have arrived, or are arriving.
        images: The memory of decoded images and frames. It is apart from that of bodies: a body
            waits for its images to be decoded, so it must not hold what they need.
    """

    settings: ServiceSettings
    model_settings: Settings
    access: AccessControl
    metrics: ServiceMetrics = field(default_factory=ServiceMetrics)
    engine: Engine | None = None
    load_error: Exception | None = None
    pending_clips: int = 0
    on_load_error: Callable[[], None] = lambda: None
    bodies: MemoryBudget = field(init=False)
    images: MemoryBudget = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = MemoryBudget(self.settings.half_memory)
        self.images = MemoryBudget(self.settings.half_memory)

    async def load(self) -> None:
        """Load the model in a thread, so that the server responds in the meantime."""
        try:
            analyzers = await asyncio.to_thread(load_analyzers, self.model_settings)
        except Exception as error:
            self.load_error = error
            self.on_load_error()
            return
        settings, metrics = self.settings, self.metrics
        worker = BatchWorker(analyzers.images, settings.workers, on_batch=metrics.batches.observe)
        pipeline = Pipeline(
            worker,
            settings.max_pixels,
            memory=self.images,
            max_queue=settings.max_queue,
            deadline=settings.deadline_seconds,
        )
        metrics.waiting.set_function(lambda: pipeline.waiting)
        metrics.model.info({"model": analyzers.images.model_name})
        limit = StreamLimit(settings.max_sockets)
        self.engine = Engine(analyzers.images, analyzers.live, pipeline, limit)

    @property
    def ready(self) -> Engine:
        """The engine.

        Raises:
            NotReadyError: It is not loaded.
        """
        if self.engine is None:
            if self.load_error:
                raise NotReadyError("The model can't be loaded; see the server's log.", 60)
            raise NotReadyError("The model is still being loaded; try again in a second.")
        return self.engine


def state_of(request: Request) -> State:
    """Return the state of the application that received a request."""
    state: State = request.app.state.service
    return state
