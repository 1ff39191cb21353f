"""How fast live video runs: ``python backend/benchmark.py --live``."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from backend.benchmarks.clip import Clip, example_clip, read_clip
from backend.benchmarks.config import BenchmarkLiveConfig
from backend.benchmarks.peers import PeerTiming, time_peers
from backend.benchmarks.result import BenchmarkResult
from backend.benchmarks.streams import StreamMeasurements, measure_streams
from utils.defaults import LIVE_MIN_FACE
from utils.devices import limit_threads
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.drawing import annotate

_STAGE_FRAMES = 30
_PEER_FRAMES = 10


@dataclass(frozen=True)
class StageTimes:
    """Median milliseconds of each stage for a frame, with nothing else running.

    Attributes:
        detector_ms: Detecting the faces.
        classifier_ms: Classifying them.
        draw_ms: Drawing boxes and labels.
    """

    detector_ms: float
    classifier_ms: float
    draw_ms: float


@dataclass(frozen=True)
class LiveBenchmark(BenchmarkResult):
    """How fast live video runs.

    Attributes:
        model: The architecture.
        threads: CPU cores for inference.
        config: What was measured.
        stages: Time of each stage on its own.
        streams: What the streams achieved together.
        peers: Comparable packages, if asked for.
    """

    model: str
    threads: int
    config: BenchmarkLiveConfig
    stages: StageTimes
    streams: StreamMeasurements
    peers: tuple[PeerTiming, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a flat JSON document."""
        return {
            "model": self.model,
            "detector": self.config.detector,
            "interval": self.config.interval,
            "threads": self.threads,
            "streams": self.config.streams,
            **asdict(self.stages),
            **asdict(self.streams),
            **{f"peer_{peer.name}_ms": peer.outcome for peer in self.peers},
        }


def benchmark_live(config: BenchmarkLiveConfig) -> LiveBenchmark:
    """Measure live video.

    Raises:
        ConfigError: There is neither a video nor scikit-image, which has the example photo.
        EmotionError: The model or the detector can't be used.
        VideoError: The video can't be read.
    """
    threads = limit_threads(config.threads)
    analyzer = EmotionAnalyzer.load(
        config.model,
        detector=config.detector,
        detector_weights=config.detector_weights,
        min_face=LIVE_MIN_FACE,
        threads=threads,
    )
    clip = read_clip(config.video) if config.video else example_clip(config.faces)
    return LiveBenchmark(
        model=analyzer.model_name,
        threads=threads,
        config=config,
        stages=_time_stages(analyzer, clip),
        streams=measure_streams(analyzer, clip, config=config),
        peers=time_peers(clip[:: max(1, len(clip) // _PEER_FRAMES)]) if config.peers else (),
    )


def _time_stages(analyzer: EmotionAnalyzer, clip: Clip) -> StageTimes:
    frames = clip[:_STAGE_FRAMES]
    detections = [analyzer.detect(frame) for frame in frames]
    result = analyzer.analyze(clip[0])
    spans = []
    for frame, detected in zip(frames, detections, strict=True):
        marks = [time.perf_counter()]
        analyzer.detect(frame)
        marks.append(time.perf_counter())
        analyzer.classify_faces(frame, detected)
        marks.append(time.perf_counter())
        annotate(frame, result)
        marks.append(time.perf_counter())
        spans.append(np.diff(marks))
    detector, classifier, draw = 1000 * np.median(spans, axis=0)
    return StageTimes(round(float(detector), 2), round(float(classifier), 2), round(float(draw), 2))
