"""How fast a folder of photos is analysed: ``python backend/benchmark.py --folder``."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.benchmarks.clip import HEIGHT, WIDTH, photo_bytes
from backend.benchmarks.config import BenchmarkFolderConfig
from backend.benchmarks.result import BenchmarkResult
from utils.devices import limit_threads
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.batch import analyze_sources
from utils.media.images import load_image
from utils.media.sources import find_sources


@dataclass(frozen=True)
class FolderBenchmark(BenchmarkResult):
    """How many photos are analysed per second.

    Attributes:
        photos: How many were analysed.
        threads: CPU cores for inference.
        cores: CPU cores of this machine.
        inference_rate: Photos per second of detector and classifier alone.
        folder_rate: Photos per second read from a folder by one worker.
        folder_rate_all_cores: Photos per second read by one worker per core.
    """

    photos: int
    threads: int
    cores: int
    inference_rate: float
    folder_rate: float
    folder_rate_all_cores: float

    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a JSON document."""
        return {
            "photos": self.photos,
            "size": f"{WIDTH}x{HEIGHT}",
            "threads": self.threads,
            "detector_and_classifier_per_second": round(self.inference_rate, 1),
            "folder_per_second": self.folder_rate,
            "ratio": round(self.inference_rate / self.folder_rate, 2),
            f"folder_per_second_on_{self.cores}_cores": self.folder_rate_all_cores,
        }


def benchmark_folder(config: BenchmarkFolderConfig) -> FolderBenchmark:
    """Measure photos per second from a folder, and of detector and classifier alone.

    Raises:
        ConfigError: scikit-image, which has the photo, is not installed.
        EmotionError: The model or the detector can't be used.
    """
    threads, cores = limit_threads(config.threads), os.cpu_count() or 1
    analyzer = EmotionAnalyzer.load(
        config.model,
        detector=config.detector,
        detector_weights=config.detector_weights,
        threads=threads,
    )
    return FolderBenchmark(
        photos=config.runs,
        threads=threads,
        cores=cores,
        inference_rate=_inference_rate(analyzer, config.runs),
        folder_rate=images_per_second(analyzer, config.runs, workers=1),
        folder_rate_all_cores=images_per_second(analyzer, config.runs, workers=cores),
    )


def images_per_second(analyzer: EmotionAnalyzer, count: int, *, workers: int) -> float:
    """Return how many photos per second are read from a folder and analysed.

    Args:
        analyzer: Detector and classifier.
        count: Photos in the folder.
        workers: Threads that analyse them.
    """
    photo = photo_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            (Path(folder) / f"{number:05d}.jpg").write_bytes(photo)
        start = time.perf_counter()
        frames = analyze_sources(analyzer, find_sources([folder]), workers=workers)
        analysed = sum(1 for _ in frames)
        return round(analysed / (time.perf_counter() - start), 1)


def _inference_rate(analyzer: EmotionAnalyzer, runs: int) -> float:
    image = load_image(photo_bytes())
    analyzer.analyze_batch([image], [None])
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        detections = analyzer.detect(image)
        analyzer.classify_faces(image, detections)
        seconds.append(time.perf_counter() - start)
    return 1 / float(np.mean(seconds))
