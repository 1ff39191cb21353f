"""How fast the service answers over loopback: ``python backend/benchmark.py --api``."""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import websockets

from backend.benchmarks.folder import photo_bytes, pictures_per_second
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.images import load_image
from utils.memory import memory_mb

_PROGRAM = Path(__file__).parents[1] / "api.py"
_SMALL = 48
_WARM_UP = 20


@dataclass
class Load:
    """What a load generator measured.

    Attributes:
        seconds: How long it went on.
        times: Seconds of each answered request.
        statuses: Status to the number of answers.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        """Return a percentile of the successful answers' times in milliseconds."""
        return round(1000 * float(np.percentile(self.times, share)), 1)

    @property
    def rate(self) -> float:
        """Successful answers a second."""
        return round(self.statuses[200] / self.seconds, 1)


def benchmark_api(options: argparse.Namespace) -> dict[str, object]:
    """Start the service, put it under load, and return the figures.

    Returns:
        For one client: the pipeline's own time and the request's; for 32 clients: rates, the 99th
        percentile and the statuses; for face crops and the WebSocket likewise; and the server's
        memory before and after many requests.
    """
    photo = photo_bytes()
    crop = cv2.imencode(".jpg", np.full((_SMALL, _SMALL), 128, np.uint8))[1].tobytes()
    analyzer = EmotionAnalyzer.load(options.model)
    own = _pipeline_ms(analyzer, photo)
    folder = pictures_per_second(analyzer, 100, os.cpu_count() or 1)
    with _server(options) as (port, process):
        asyncio.run(_post(port, "/predict", photo, 1, count=_WARM_UP))
        one = asyncio.run(_post(port, "/predict", photo, 1, count=200))
        many = asyncio.run(_post(port, "/predict", photo, 32, seconds=options.seconds))
        crops = asyncio.run(
            _post(port, "/predict?detector=none", crop, 32, seconds=options.seconds)
        )
        ages, answered = asyncio.run(_stream(port, photo, options.seconds))
        before = memory_mb(pid=process.pid)
        asyncio.run(_post(port, "/predict?detector=none", crop, 32, count=options.requests))
        after = memory_mb(pid=process.pid)
    return {
        "pipeline_ms": own,
        "one_client_p50_ms": one.percentile(50),
        "one_client_ratio": round(one.percentile(50) / own, 2),
        "batch_images_per_second": folder,
        "clients_32_per_second": many.rate,
        "clients_32_share": round(many.rate / folder, 2),
        "clients_32_p99_ms": many.percentile(99),
        "clients_32_statuses": dict(many.statuses),
        "crops_per_second": crops.rate,
        "crops_statuses": dict(crops.statuses),
        "ws_answers_per_second": round(answered, 1),
        "ws_age_p50_ms": round(float(np.percentile(ages, 50)), 1),
        "ws_age_p95_ms": round(float(np.percentile(ages, 95)), 1),
        "memory_mb_before": before and round(before, 1),
        f"memory_mb_after_{options.requests}": after and round(after, 1),
    }


def _pipeline_ms(analyzer: EmotionAnalyzer, photo: bytes) -> float:
    times = []
    for _ in range(100):
        began = time.perf_counter()
        analyzer.analyze_batch([load_image(photo)], [None])
        times.append(time.perf_counter() - began)
    return round(1000 * float(np.median(times[_WARM_UP:])), 1)


@contextmanager
def _server(options: argparse.Namespace) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = os.environ | ({"EMOTION_MODEL": str(options.model)} if options.model else {})
    command = [sys.executable, str(_PROGRAM), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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


async def _post(
    port: int,
    path: str,
    body: bytes,
    clients: int,
    count: int | None = None,
    seconds: float | None = None,
) -> Load:
    """Post a picture again and again, each client on one connection, so often or so long."""
    load, began = Load(), time.perf_counter()
    tickets = iter(range(count or 10**9))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in tickets:
            start = time.perf_counter()
            if seconds is not None and start - began > seconds:
                break
            writer.write(head + body)
            status = await _read_answer(reader)
            load.statuses[status] += 1
            if status == 200:
                load.times.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    load.seconds = time.perf_counter() - began
    return load


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def _stream(port: int, photo: bytes, seconds: float) -> tuple[list[float], float]:
    """Send a picture 30 times a second; return the answers' ages in ms, and answers a second."""
    sent: dict[int, float] = {}
    ages: list[float] = []
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws", max_queue=None) as connection:

        async def receive() -> None:
            async for message in connection:
                now, head = time.perf_counter(), str(message).split(",", 1)[0]
                ages.append(1000 * (now - sent[int(head.split(":")[1])]))

        receiving = asyncio.create_task(receive())
        began = time.perf_counter()
        for number in range(1, round(30 * seconds) + 1):
            await asyncio.sleep(max(0.0, began + number / 30 - time.perf_counter()))
            sent[number] = time.perf_counter()
            await connection.send(photo)
        await asyncio.sleep(0.5)
        receiving.cancel()
    return ages, len(ages) / seconds
