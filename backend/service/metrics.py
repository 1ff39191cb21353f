"""What Prometheus may ask for; one registry for each application."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from utils.results import FrameResult

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one running service; nothing of a picture, its name included, is in them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "emotion_requests", "Answered requests", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "emotion_request_seconds",
            "Time from a request's head to the end of its answer",
            ["path"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.faces = Counter("emotion_faces", "Faces found", ["emotion"], registry=self.registry)
        self.batches = Histogram(
            "emotion_batch_size",
            "Pictures analysed together",
            buckets=(1, 2, 4, 8),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "emotion_queue", "Requests that wait for their turn", registry=self.registry
        )
        self.sockets = Gauge("emotion_sockets", "Open WebSockets", registry=self.registry)
        self.frames = Counter(
            "emotion_frames", "WebSocket frames", ["outcome"], registry=self.registry
        )
        self.model = Info("emotion_model", "The loaded model", registry=self.registry)

    def count_faces(self, result: FrameResult) -> None:
        """Count the faces of a picture."""
        for face in result.faces:
            name = "uncertain" if face.uncertain else face.emotion
            self.faces.labels(emotion=name).inc()
