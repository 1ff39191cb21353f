"""What all requests of one running service share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fastapi import Request

from backend.service.errors import NotReadyError
from backend.service.metrics import Metrics
from backend.service.pipeline import BatchWorker, Pipeline
from backend.service.settings import ServiceSettings
from utils.concurrency import FairLock, StreamLimit
from utils.inference.analyzer import EmotionAnalyzer, load_analyzers
from utils.settings import Settings


@dataclass
class Engine:
    """The loaded model and the threads that use it.

    Attributes:
        images: For images: looks for small faces too.
        live: For streams: the same model, faster detection.
        pipeline: Analyses the images of requests.
        limit: How many live streams may run at once.
        lock: Held by a live stream during inference.
        clips: The one thread that analyses clips.
    """

    images: EmotionAnalyzer
    live: EmotionAnalyzer
    pipeline: Pipeline
    limit: StreamLimit
    lock: FairLock = field(default_factory=FairLock)
    clips: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "clips"))

    def close(self) -> None:
        """End the threads."""
        self.clips.shutdown(wait=False, cancel_futures=True)
        self.pipeline.close()


@dataclass
class State:
    """The settings, the counters, and the engine once it is loaded.

    Attributes:
        settings: Limits and access.
        model_settings: Which model and detector.
        metrics: What Prometheus may ask for.
        engine: The loaded model; None until then.
        problem: Why it can't be loaded.
        clips_waiting: Requests for clips that wait or are worked on.
        on_problem: Called when it can't be loaded.
    """

    settings: ServiceSettings
    model_settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    engine: Engine | None = None
    problem: Exception | None = None
    clips_waiting: int = 0
    on_problem: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Load the model without keeping the server from answering."""
        try:
            loaded = await asyncio.to_thread(load_analyzers, self.model_settings)
        except Exception as error:
            self.problem = error
            self.on_problem()
            return
        settings, metrics = self.settings, self.metrics
        worker = BatchWorker(loaded.images, settings.workers, metrics.batches.observe)
        pipeline = Pipeline(
            worker,
            int(settings.max_megapixels * 1e6),
            settings.max_queue,
            settings.deadline_seconds,
        )
        metrics.waiting.set_function(lambda: pipeline.waiting)
        metrics.model.info({"model": loaded.images.model_name})
        limit = StreamLimit(settings.max_sockets)
        self.engine = Engine(loaded.images, loaded.live, pipeline, limit)

    @property
    def ready(self) -> Engine:
        """The engine.

        Raises:
            NotReadyError: It is not loaded.
        """
        if self.engine is None:
            if self.problem:
                raise NotReadyError("The model can't be loaded; the server's log says why.", 60)
            raise NotReadyError("The model is being loaded; try again.")
        return self.engine


def state_of(request: Request) -> State:
    """Return the state of the application that a request came to."""
    return request.app.state.service
