"""How fast a folder of photos is analysed: ``python backend/benchmark.py --folder``."""

import argparse
import os
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from utils.devices import limit_threads
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.batch import analyze_sources
from utils.media.images import load_image
from utils.media.sources import find_sources

WIDTH, HEIGHT = 640, 480


def photo_bytes() -> bytes:
    """Return a 640x480 JPEG file with one face.

    Raises:
        ImportError: scikit-image, whose photo it is, is not installed.
    """
    import skimage.data

    photo = cv2.copyMakeBorder(
        skimage.data.astronaut()[:HEIGHT], 0, 0, 64, 64, cv2.BORDER_REPLICATE
    )
    return cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))[1].tobytes()


def pictures_per_second(analyzer: EmotionAnalyzer, count: int, workers: int) -> float:
    """Return how many photos a second are read from a folder and analysed by so many threads."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            (Path(folder) / f"{i:05d}.jpg").write_bytes(photo_bytes())
        began = time.perf_counter()
        answered = sum(
            1 for _ in analyze_sources(analyzer, find_sources([folder]), workers=workers)
        )
        return round(answered / (time.perf_counter() - began), 1)


def benchmark_folder(options: argparse.Namespace) -> dict[str, object]:
    """Return photos a second from a folder, and of detector and classifier alone."""
    threads = limit_threads(max(options.threads or [1]))
    analyzer = EmotionAnalyzer.load(options.model, detector=options.detector, threads=threads)
    image = load_image(photo_bytes())
    analyzer.analyze_batch([image], [None])
    times = []
    for _ in range(options.runs):
        began = time.perf_counter()
        found = analyzer.detect(image)
        analyzer.classifier.predict(analyzer.crops(image, found.boxes))
        times.append(time.perf_counter() - began)
    alone = 1 / float(np.mean(times))
    folder = pictures_per_second(analyzer, options.runs, 1)
    cores = os.cpu_count() or 1
    return {
        "photos": options.runs,
        "size": f"{WIDTH}x{HEIGHT}",
        "threads": threads,
        "detector_and_classifier_per_second": round(alone, 1),
        "folder_per_second": folder,
        "ratio": round(alone / folder, 2),
        f"folder_per_second_on_{cores}_cores": pictures_per_second(analyzer, options.runs, cores),
    }
