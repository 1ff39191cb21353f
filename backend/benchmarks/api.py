"""How fast the service responds over loopback: ``python backend/benchmark.py --api``."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.benchmarks.clip import photo_bytes
from backend.benchmarks.config import BenchmarkApiConfig
from backend.benchmarks.folder import images_per_second
from backend.benchmarks.load_generator import (
    Load,
    LoadResult,
    StreamResult,
    post_load,
    stream_load,
)
from backend.benchmarks.result import BenchmarkResult
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.images import load_image
from utils.memory import memory_mb

_PROGRAM = Path(__file__).parents[1] / "api.py"
_CROP_SIZE = 48
_WARM_UP = 20
_CLIENTS = 32


@dataclass(frozen=True)
class ServiceMeasurements:
    """What the running service achieved.

    Attributes:
        one_client: ``/predict`` with one client.
        many_clients: ``/predict`` with 32 clients.
        crops: Face crops from 32 clients.
        stream: ``/ws`` at 30 frames per second.
        memory_mb_before: Memory of the server before many requests; None where unknown.
        memory_mb_after: Memory of the server after them; None where unknown.
    """

    one_client: LoadResult
    many_clients: LoadResult
    crops: LoadResult
    stream: StreamResult
    memory_mb_before: float | None
    memory_mb_after: float | None


@dataclass(frozen=True)
class ApiBenchmark(BenchmarkResult):
    """How the service performs, compared with the library alone.

    Attributes:
        pipeline_ms: Median time of one photo without the service.
        folder_rate: Photos per second from a folder, without the service.
        service: What the service achieved.
        requests: Requests between the two measurements of the server's memory.
    """

    pipeline_ms: float
    folder_rate: float
    service: ServiceMeasurements
    requests: int

    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a flat JSON document."""
        service = self.service
        one, many = service.one_client, service.many_clients
        before, after = service.memory_mb_before, service.memory_mb_after
        return {
            "pipeline_ms": self.pipeline_ms,
            "one_client_p50_ms": one.percentile_ms(50),
            "one_client_ratio": round(one.percentile_ms(50) / self.pipeline_ms, 2),
            "batch_images_per_second": self.folder_rate,
            "clients_32_per_second": many.rate,
            "clients_32_share": round(many.rate / self.folder_rate, 2),
            "clients_32_p99_ms": many.percentile_ms(99),
            "clients_32_statuses": dict(many.statuses),
            "crops_per_second": service.crops.rate,
            "crops_statuses": dict(service.crops.statuses),
            "ws_answers_per_second": service.stream.rate,
            "ws_age_p50_ms": service.stream.percentile_ms(50),
            "ws_age_p95_ms": service.stream.percentile_ms(95),
            "memory_mb_before": before and round(before, 1),
            f"memory_mb_after_{self.requests}": after and round(after, 1),
        }


def benchmark_api(config: BenchmarkApiConfig) -> ApiBenchmark:
    """Start the service and put it under load.

    Raises:
        ConfigError: scikit-image, which has the photo, is not installed.
        EmotionError: The model can't be used.
    """
    photo = photo_bytes()
    analyzer = EmotionAnalyzer.load(config.model)
    pipeline_ms = _pipeline_ms(analyzer, photo)
    folder_rate = images_per_second(analyzer, 100, workers=os.cpu_count() or 1)
    with running_service(config.model) as (port, process):
        service = _measure_service(port, process.pid, config=config)
    return ApiBenchmark(
        pipeline_ms=pipeline_ms,
        folder_rate=folder_rate,
        service=service,
        requests=config.requests,
    )


def _measure_service(port: int, pid: int, *, config: BenchmarkApiConfig) -> ServiceMeasurements:
    photo, crop, seconds = photo_bytes(), _grey_crop(), config.seconds
    photos, crops = "/predict", "/predict?detector=none"

    def post(load: Load) -> LoadResult:
        return asyncio.run(post_load(port, load))

    post(Load(photos, photo, clients=1, requests=_WARM_UP))
    one_client = post(Load(photos, photo, clients=1, requests=200))
    many_clients = post(Load(photos, photo, clients=_CLIENTS, seconds=seconds))
    crop_result = post(Load(crops, crop, clients=_CLIENTS, seconds=seconds))
    stream = asyncio.run(stream_load(port, photo, seconds=seconds))
    memory_before = memory_mb(pid=pid)
    post(Load(crops, crop, clients=_CLIENTS, requests=config.requests))
    return ServiceMeasurements(
        one_client=one_client,
        many_clients=many_clients,
        crops=crop_result,
        stream=stream,
        memory_mb_before=memory_before,
        memory_mb_after=memory_mb(pid=pid),
    )


def _grey_crop() -> bytes:
    """Return a JPEG file of the size of a face crop."""
    pixels = np.full((_CROP_SIZE, _CROP_SIZE), 128, np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def _pipeline_ms(analyzer: EmotionAnalyzer, photo: bytes) -> float:
    seconds = []
    for _ in range(100):
        start = time.perf_counter()
        analyzer.analyze_batch([load_image(photo)], [None])
        seconds.append(time.perf_counter() - start)
    return round(1000 * float(np.median(seconds[_WARM_UP:])), 1)


@contextmanager
def running_service(model: Path | None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Yield the port and the process of a service that is ready, and stop it at the end.

    Args:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | ({"EMOTION_MODEL": str(model)} if model else {})
    command = [sys.executable, str(_PROGRAM), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            time.sleep(0.1)
        yield port, process
    finally:
        process.terminate()
        process.wait()
