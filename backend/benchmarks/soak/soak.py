"""Uploads, sockets, live streams and recordings at once, for minutes or days."""

import asyncio
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.benchmarks.api import running_service
from backend.benchmarks.clip import FPS, Clip, example_clip, photo_bytes
from backend.benchmarks.config import BenchmarkSoakConfig
from backend.benchmarks.result import BenchmarkResult
from backend.benchmarks.soak.growth import RULE, Growth, Usage, measure_growth
from backend.benchmarks.soak.load import (
    RecordedStreams,
    Tally,
    Upload,
    keep_uploading,
    keep_watching,
    upload,
)
from utils.defaults import LIVE_MIN_FACE
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.video_writer import VideoWriter

_SAMPLE_SECONDS = 2.0
_SOCKETS, _STREAMS = 2, 2
_CLIP_FRAMES = 15


@dataclass(frozen=True)
class SoakBenchmark(BenchmarkResult):
    """What happened during a soak test.

    Attributes:
        minutes: How long it lasted.
        tally: Answers and errors by kind.
        samples: What each process held over time: the service, and this one with its live streams
            and recordings.
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
        ConfigError: scikit-image, which has the photo, is not installed.
        EmotionError: The model can't be used.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, running_service(config.model) as (port, process):
        analyzer = EmotionAnalyzer.load(config.model, min_face=LIVE_MIN_FACE)
        clip = example_clip(faces=1)
        uploads = _uploads(clip, Path(folder))
        streams = RecordedStreams(
            analyzer, clip, database=Path(folder, "sessions.sqlite"), tally=tally
        )
        watch = _Watch({"service": process.pid, "streams and recordings": os.getpid()}, tally)
        seconds = 60 * config.minutes
        try:
            asyncio.run(_run(port, uploads, streams=streams, watch=watch, seconds=seconds))
        finally:
            streams.close()
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
    port: int, uploads: list[Upload], *, streams: RecordedStreams, watch: _Watch, seconds: float
) -> None:
    until, tally, frame = time.monotonic() + seconds, watch.tally, photo_bytes()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(_STREAMS) as threads:
        await asyncio.gather(
            watch.run(until),
            *(keep_uploading(port, each, tally=tally, until=until) for each in uploads),
            *(keep_watching(port, frame, tally=tally, until=until) for _ in range(_SOCKETS)),
            *(loop.run_in_executor(threads, streams.run, until) for _ in range(_STREAMS)),
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
