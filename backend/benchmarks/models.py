"""How fast, large and accurate each form of a model is: PyTorch, and the ONNX files beside it.

Each form is measured in a process of its own, so that neither threads nor memory mix.
"""

import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from utils.errors import ConfigError
from utils.memory import memory_mb
from utils.model.onnx_runtime import OnnxRuntime, onnx_path
from utils.model.spec import ModelSpec

BATCHES = (1, 32)
_FORMS = {
    "torch fp32": None,
    "torch bf16": None,
    "onnx fp32": "fp32",
    "onnx fp16": "fp16",
    "onnx int8": "int8",
    "onnx int8 dynamic": "int8-dynamic",
}
Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def benchmark_models(checkpoint: Path, data: Path, threads: list[int], runs: int) -> dict[str, Any]:
    """Measure every form of a model that is there.

    Args:
        checkpoint: The ``.pth`` file; ``backend/export.py`` writes the others beside it.
        data: Prepared data folder; without its test split the accuracy is left out.
        threads: Numbers of threads to measure with.
        runs: Timed runs of one face; a tenth of them for batches.

    Raises:
        CheckpointError: A file can't be used.
        ConfigError: A number is impossible.
    """
    if min(*threads, runs) < 1:
        raise ConfigError("--threads and --runs must be at least 1")
    rows: list[dict[str, Any]] = []
    context = multiprocessing.get_context("spawn")
    for form, precision in _FORMS.items():
        path = onnx_path(checkpoint, precision) if precision else checkpoint
        if precision and not path.is_file():
            continue
        for number in threads:
            with context.Pool(1) as pool:
                measured = pool.apply(measure, (form, path, number, runs, data))
                pool.close()
                pool.join()
            rows.append({"form": form, "file": path.name, "threads": number} | measured)
    for row in rows:
        base = next(r for r in rows if r["threads"] == row["threads"])
        row["speedup"] = base["batch_1"]["p50_ms"] / row["batch_1"]["p50_ms"]
    return {"hardware": hardware(), "runs": runs, "rows": rows}


def measure(form: str, path: Path, threads: int, runs: int, data: Path) -> dict[str, Any]:
    """Measure one form with a number of threads; meant for a fresh process.

    Returns:
        ``megabytes`` of the file, ``load_s``, for each batch size ``p50_ms``, ``p95_ms`` and
        ``images_per_second``, ``peak_memory_mb`` and ``accuracy`` (head name to share, or None).
    """
    began = time.perf_counter()
    spec, run = _load(form, path, threads)
    load_s = time.perf_counter() - began
    result: dict[str, Any] = {"megabytes": path.stat().st_size / 1e6, "load_s": load_s}
    rng = np.random.default_rng(0)
    side, channels = spec.preprocessing.input_size, spec.preprocessing.channels
    for batch in BATCHES:
        faces = rng.standard_normal((batch, channels, side, side)).astype(np.float32)
        milliseconds = _time(run, faces, runs if batch == 1 else max(5, runs // 10))
        result[f"batch_{batch}"] = {
            "p50_ms": float(np.median(milliseconds)),
            "p95_ms": float(np.percentile(milliseconds, 95)),
            "images_per_second": batch / float(np.median(milliseconds)) * 1000,
        }
    result["peak_memory_mb"] = memory_mb(peak=True)
    result["accuracy"] = _accuracy(spec, run, data) if (data / "test").is_dir() else None
    return result


def _load(form: str, path: Path, threads: int) -> tuple[ModelSpec, Run]:
    if form.startswith("onnx"):
        runtime = OnnxRuntime(path, threads)
        return runtime.spec, runtime
    import torch

    from utils.model.checkpoint import load_checkpoint
    from utils.model.torch_runtime import TorchRuntime

    torch.set_num_threads(threads)
    checkpoint = load_checkpoint(path)
    network = TorchRuntime(checkpoint, "cpu")

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.autocast("cpu", torch.bfloat16, enabled=form == "torch bf16"):
            return network(pixels)

    return checkpoint, run


def _time(run: Run, faces: NDArray[np.float32], runs: int) -> list[float]:
    for _ in range(max(3, runs // 10)):
        run(faces)
    milliseconds = []
    for _ in range(runs):
        began = time.perf_counter()
        run(faces)
        milliseconds.append(1000 * (time.perf_counter() - began))
    return milliseconds


def _accuracy(spec: ModelSpec, run: Run, data: Path) -> dict[str, float]:
    """Return each head's accuracy on the test split, against the labels that it answers."""
    from backend.export import test_images

    pixels, labels = test_images(spec, data)
    logits = np.concatenate([run(x) for x in np.split(pixels, range(64, len(pixels), 64))])
    found = {}
    for head in spec.heads:
        truth = labels[head.name]
        answers = head.probabilities(logits[:, spec.head_columns(head)]).argmax(1)
        found[head.name] = float((answers == truth)[truth >= 0].mean())
    return found


def hardware() -> dict[str, Any]:
    """Return what the figures were measured on."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            x.split(":")[1].strip() for x in info.read_text().splitlines() if "model name" in x
        ]
        name = names[0] if names else name
    versions = {p: version(p) for p in ("torch", "onnxruntime", "numpy")}
    return {"cpu": name, "cores": os.cpu_count(), "system": platform.platform()} | versions


def models_table(figures: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    machine = figures["hardware"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores; torch {machine['torch']}, onnxruntime "
        f"{machine['onnxruntime']}; {figures['runs']} runs\n",
        "| form | threads | file, MB | load, s | 1 face, ms (p95) | 32 faces, ms (p95) | faces/s "
        "| peak memory, MB | faster than torch fp32 | accuracy |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in figures["rows"]:
        one, many = row["batch_1"], row["batch_32"]
        memory = "–" if row["peak_memory_mb"] is None else f"{row['peak_memory_mb']:.0f}"
        accuracy = ", ".join(f"{k} {v:.2%}" for k, v in (row["accuracy"] or {}).items()) or "–"
        lines.append(
            f"| {row['form']} | {row['threads']} | {row['megabytes']:.1f} | {row['load_s']:.2f} "
            f"| {one['p50_ms']:.2f} ({one['p95_ms']:.2f}) "
            f"| {many['p50_ms']:.1f} ({many['p95_ms']:.1f}) | {many['images_per_second']:.0f} "
            f"| {memory} | {row['speedup']:.1f}x | {accuracy} |"
        )
    return "\n".join(lines)
