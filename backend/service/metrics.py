"""What Prometheus collects; every application has a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from utils.results import FrameResult

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServiceMetrics:
    """Counters of one running service; they hold nothing of an image, not even its name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "emotion_requests", "Completed requests", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "emotion_request_seconds",
            "Time from the head of a request to the end of its response",
            ["path"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.faces = Counter("emotion_faces", "Detected faces", ["emotion"], registry=self.registry)
        self.batches = Histogram(
            "emotion_batch_size",
            "Images analysed together",
            buckets=(1, 2, 4, 8),
            registry=self.registry,
        )
        self.waiting = Gauge("emotion_queue", "Queued requests", registry=self.registry)
        self.sockets = Gauge("emotion_sockets", "Open WebSockets", registry=self.registry)
        self.frames = Counter(
            "emotion_frames", "WebSocket frames", ["outcome"], registry=self.registry
        )
        self.model = Info("emotion_model", "The loaded model", registry=self.registry)

    def count_faces(self, result: FrameResult) -> None:
        """Count the faces of an image."""
        for face in result.faces:
            name = "uncertain" if face.uncertain else face.emotion
            self.faces.labels(emotion=name).inc()
