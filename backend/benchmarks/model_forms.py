"""How fast, large and accurate one form of a model is: a runtime, a precision, a thread count."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.memory import memory_mb
from utils.model.onnx_runtime import OnnxRuntime
from utils.model.spec import ModelSpec

_BATCH = 32
Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class BatchTimes:
    """How long one batch takes.

    Attributes:
        p50_ms: Median milliseconds.
        p95_ms: 95th percentile, in milliseconds.
        images_per_second: Faces per second, by the median.
    """

    p50_ms: float
    p95_ms: float
    images_per_second: float


@dataclass(frozen=True)
class FormFigures:
    """Speed, size and accuracy of one form of a model.

    Attributes:
        form: Runtime and precision, such as ``onnx int8``.
        file: Name of the model file.
        threads: CPU cores for inference.
        megabytes: Size of the file.
        load_s: Seconds to load it.
        batch_1: Times of a single face.
        batch_32: Times of 32 faces.
        peak_memory_mb: Most memory that the process had; None where the system does not report it.
        accuracy: Accuracy on the test split by head, 0..1; None without a test split.
    """

    form: str
    file: str
    threads: int
    megabytes: float
    load_s: float
    batch_1: BatchTimes
    batch_32: BatchTimes
    peak_memory_mb: float | None
    accuracy: dict[str, float] | None


@dataclass(frozen=True)
class FormTask:
    """One form to measure.

    Attributes:
        form: Runtime and precision, such as ``onnx int8``.
        path: The model file.
        threads: CPU cores for inference.
        runs: Timed runs with one face; batches get a tenth of them.
        data: Prepared data folder; without its test split, accuracy is not measured.
    """

    form: str
    path: Path
    threads: int
    runs: int
    data: Path


def measure_form(task: FormTask) -> FormFigures:
    """Measure one form with a number of threads; meant for a fresh process."""
    start = time.perf_counter()
    spec, network = _load(task)
    load_s = time.perf_counter() - start
    rng = np.random.default_rng(0)
    side, channels = spec.preprocessing.input_size, spec.preprocessing.channels

    def time_batch(size: int, runs: int) -> BatchTimes:
        faces = rng.standard_normal((size, channels, side, side)).astype(np.float32)
        return _time_batch(network, faces, runs=runs)

    return FormFigures(
        form=task.form,
        file=task.path.name,
        threads=task.threads,
        megabytes=task.path.stat().st_size / 1e6,
        load_s=load_s,
        batch_1=time_batch(1, task.runs),
        batch_32=time_batch(_BATCH, max(5, task.runs // 10)),
        peak_memory_mb=memory_mb(peak=True),
        accuracy=_accuracy(spec, network, data=task.data),
    )


def _load(task: FormTask) -> tuple[ModelSpec, Network]:
    if task.form.startswith("onnx"):
        runtime = OnnxRuntime(task.path, task.threads)
        return runtime.spec, runtime
    import torch

    from utils.model.checkpoint import load_checkpoint
    from utils.model.torch_runtime import TorchRuntime

    torch.set_num_threads(task.threads)
    checkpoint = load_checkpoint(task.path)
    network = TorchRuntime(checkpoint, "cpu")

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.autocast("cpu", torch.bfloat16, enabled=task.form == "torch bf16"):
            return network(pixels)

    return checkpoint, run


def _time_batch(network: Network, faces: NDArray[np.float32], *, runs: int) -> BatchTimes:
    for _ in range(max(3, runs // 10)):
        network(faces)
    milliseconds = []
    for _ in range(runs):
        start = time.perf_counter()
        network(faces)
        milliseconds.append(1000 * (time.perf_counter() - start))
    median = float(np.median(milliseconds))
    return BatchTimes(
        p50_ms=median,
        p95_ms=float(np.percentile(milliseconds, 95)),
        images_per_second=len(faces) / median * 1000,
    )


def _accuracy(spec: ModelSpec, network: Network, *, data: Path) -> dict[str, float] | None:
    """Return each head's accuracy on the test split, by its own labels; None without the split."""
    if not (data / "test").is_dir():
        return None
    from backend.export import test_images

    pixels, labels = test_images(spec, data)
    batches = np.split(pixels, range(64, len(pixels), 64))
    logits = np.concatenate([network(batch) for batch in batches])
    accuracy = {}
    for head in spec.heads:
        truth = labels[head.name]
        predicted = head.probabilities(logits[:, spec.head_columns(head)]).argmax(1)
        accuracy[head.name] = float((predicted == truth)[truth >= 0].mean())
    return accuracy
