"""Uploads, sockets, live streams, recordings and viewers at once, for minutes or days."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from backend.benchmarks.api import running_service
from backend.benchmarks.clip import FPS, Clip, example_clip, photo_bytes
from backend.benchmarks.page.browser import running_app
from backend.benchmarks.page.glass_to_glass import write_camera_file
from backend.benchmarks.result import BenchmarkResult
from backend.benchmarks.soak.config import BenchmarkSoakConfig
from backend.benchmarks.soak.growth import RULE, Growth, Usage, measure_growth
from backend.benchmarks.soak.load import (
    RecordedStreams,
    Tally,
    Upload,
    keep_uploading,
    keep_watching,
    upload,
)
from backend.benchmarks.soak.viewers import keep_viewing
from utils.defaults import LIVE_MIN_FACE
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.video_writer import VideoWriter

# Runs until a moment of ``time.monotonic``, in a thread of its own.
Work: TypeAlias = Callable[[float], None]

_SAMPLE_SECONDS = 2.0
_SOCKETS, _STREAMS = 2, 2
_CLIP_FRAMES = 15


@dataclass(frozen=True)
class SoakBenchmark(BenchmarkResult):
    """What happened during a soak test.

    Attributes:
        minutes: How long it lasted.
        tally: Answers and errors by kind.
        samples: What each process held over time: this one with its live streams and recordings,
            the service, and the app if there are viewers.
    """

    minutes: float
    tally: Tally
    samples: dict[str, list[Usage]]

    def growth(self) -> dict[str, list[Growth]]:
        """Return how the figures of each process changed after the warm-up."""
        return {name: measure_growth(samples) for name, samples in self.samples.items()}

    def problems(self) -> list[str]:
        """Return every kind of error, and every figure that grows."""
        errors = [f"{count} x {kind}" for kind, count in self.tally.errors.items()]
        leaks = [
            f"{name} grows: {growth}"
            for name, found in self.growth().items()
            for growth in found
            if growth.is_leak
        ]
        return errors + leaks

    def to_document(self) -> dict[str, Any]:
        """Return the counts and figures as a JSON document."""
        growth = self.growth()
        document: dict[str, Any] = {"minutes": self.minutes}
        for name, samples in self.samples.items():
            document[f"{name}, at the end"] = str(samples[-1]) if samples else "unknown"
            grown = "; ".join(map(str, growth[name])) or "too short to tell"
            document[f"{name}, after the warm-up"] = grown
        return document | {
            "rule": RULE,
            "answers": dict(sorted(self.tally.answers.items())),
            "errors": dict(sorted(self.tally.errors.items())),
            "problems": self.problems(),
        }


def benchmark_soak(config: BenchmarkSoakConfig) -> SoakBenchmark:
    """Start the service and keep everything busy; a line a minute goes to standard error.

    Raises:
        ConfigError: scikit-image, which has the photo, is not installed, or there is no browser.
        EmotionError: The model can't be used.
    """
    tally, processes = Tally(), {"streams and recordings": os.getpid()}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clip = example_clip(faces=1)
        port, service = stack.enter_context(running_service(config.model))
        processes["service"] = service.pid
        watchers: list[Work] = []
        if config.viewers:
            camera = folder / "camera.mjpeg"
            write_camera_file(camera, clip)
            address, processes["app"] = stack.enter_context(running_app(config.model))
            view = partial(keep_viewing, address, camera, tally=tally)
            watchers = [lambda until: view(until=until)] * config.viewers
        analyzer = EmotionAnalyzer.load(config.model, min_face=LIVE_MIN_FACE)
        streams = RecordedStreams(analyzer, clip, database=folder / "sessions.sqlite", tally=tally)
        stack.callback(streams.close)
        watch = _Watch(processes, tally)
        work = [*watchers, *[streams.run] * _STREAMS]
        uploads = _uploads(clip, folder)
        asyncio.run(_run(port, uploads, work=work, watch=watch, seconds=60 * config.minutes))
    return SoakBenchmark(config.minutes, tally, watch.samples)


class _Watch:
    """Samples what processes hold, and reports it every minute."""

    def __init__(self, processes: dict[str, int], tally: Tally) -> None:
        self._processes, self.tally = processes, tally
        self.samples: dict[str, list[Usage]] = {name: [] for name in processes}

    async def run(self, until: float) -> None:
        start, minute = time.monotonic(), 1
        while (now := time.monotonic()) < until:
            for name, pid in self._processes.items():
                usage = Usage.of(pid, now - start)
                if usage is not None:
                    self.samples[name].append(usage)
            if now - start >= 60 * minute:
                self._report(minute)
                minute += 1
            await asyncio.sleep(_SAMPLE_SECONDS)

    def _report(self, minute: int) -> None:
        held = [f"{name} {samples[-1]}" for name, samples in self.samples.items() if samples]
        counts = f"{self.tally.answers.total()} answers, {self.tally.errors.total()} errors"
        print(f"minute {minute}: {'; '.join(held)}; {counts}", file=sys.stderr, flush=True)


async def _run(
    port: int, uploads: list[Upload], *, work: list[Work], watch: _Watch, seconds: float
) -> None:
    until, tally, frame = time.monotonic() + seconds, watch.tally, photo_bytes()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(work)) as threads:
        await asyncio.gather(
            watch.run(until),
            *(keep_uploading(port, each, tally=tally, until=until) for each in uploads),
            *(keep_watching(port, frame, tally=tally, until=until) for _ in range(_SOCKETS)),
            *(loop.run_in_executor(threads, each, until) for each in work),
        )


def _uploads(clip: Clip, folder: Path) -> list[Upload]:
    photo, path = photo_bytes(), folder / "clip.mp4"
    with VideoWriter(path, FPS) as video:
        for number in range(_CLIP_FRAMES):
            video.write(clip[number], number / FPS)
    damaged = photo[: len(photo) // 2]
    form = "multipart/form-data; boundary=soak"
    batch = _form([photo, damaged, photo])
    return [
        upload("photo", "/predict", photo, content_type="image/jpeg"),
        upload("damaged photo", "/predict", damaged, content_type="image/jpeg", expected=400),
        upload("batch", "/predict_batch", batch, content_type=form),
        upload("clip", "/predict_video", path.read_bytes(), content_type="video/mp4"),
    ]


def _form(files: list[bytes]) -> bytes:
    head = b'--soak\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'
    return b"".join(head + data + b"\r\n" for data in files) + b"--soak--\r\n"
