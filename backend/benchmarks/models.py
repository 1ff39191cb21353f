"""How fast, large and accurate each form of a model is: PyTorch, and the ONNX files beside it.

Each form is measured in a process of its own, so that neither threads nor memory mix.
"""

import multiprocessing
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from backend.benchmarks.config import BenchmarkModelsConfig
from backend.benchmarks.model_forms import FormFigures, FormTask, measure_form
from backend.benchmarks.result import BenchmarkResult
from utils.model.onnx_runtime import onnx_path

# Form to the precision of its ONNX file; None is PyTorch.
_FORMS = {
    "torch fp32": None,
    "torch bf16": None,
    "onnx fp32": "fp32",
    "onnx fp16": "fp16",
    "onnx int8": "int8",
    "onnx int8 dynamic": "int8-dynamic",
}


@dataclass(frozen=True)
class Machine:
    """What the figures were measured on.

    Attributes:
        cpu: Name of the processor.
        cores: Its cores; None if unknown.
        system: Name and version of the operating system.
        torch: Version of PyTorch.
        onnxruntime: Version of ONNX Runtime.
        numpy: Version of NumPy.
    """

    cpu: str
    cores: int | None
    system: str
    torch: str
    onnxruntime: str
    numpy: str


@dataclass(frozen=True)
class ModelsBenchmark(BenchmarkResult):
    """Speed, size and accuracy of every form of a model.

    Attributes:
        machine: What it was measured on.
        runs: Timed runs of a single face.
        forms: The figures of each form and number of threads.
    """

    machine: Machine
    runs: int
    forms: tuple[FormFigures, ...]

    def speedup(self, figures: FormFigures) -> float:
        """Return how many times faster than PyTorch fp32 a form is, for a single face."""
        base = next(form for form in self.forms if form.threads == figures.threads)
        return base.batch_1.p50_ms / figures.batch_1.p50_ms

    def to_document(self) -> dict[str, Any]:
        """Return the figures as a JSON document."""
        rows = [asdict(form) | {"speedup": self.speedup(form)} for form in self.forms]
        return {"hardware": asdict(self.machine), "runs": self.runs, "rows": rows}

    def to_text(self) -> str:
        """Return the figures as a Markdown table."""
        machine = self.machine
        lines = [
            f"{machine.cpu}, {machine.cores} cores; torch {machine.torch}, onnxruntime "
            f"{machine.onnxruntime}; {self.runs} runs\n",
            "| form | threads | file, MB | load, s | 1 face, ms (p95) | 32 faces, ms (p95) "
            "| faces/s | peak memory, MB | faster than torch fp32 | accuracy |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
        ]
        return "\n".join([*lines, *(self._row(form) for form in self.forms)])

    def _row(self, form: FormFigures) -> str:
        one, many = form.batch_1, form.batch_32
        memory = "–" if form.peak_memory_mb is None else f"{form.peak_memory_mb:.0f}"
        accuracy = ", ".join(f"{k} {v:.2%}" for k, v in (form.accuracy or {}).items()) or "–"
        return (
            f"| {form.form} | {form.threads} | {form.megabytes:.1f} | {form.load_s:.2f} "
            f"| {one.p50_ms:.2f} ({one.p95_ms:.2f}) "
            f"| {many.p50_ms:.1f} ({many.p95_ms:.1f}) | {many.images_per_second:.0f} "
            f"| {memory} | {self.speedup(form):.1f}x | {accuracy} |"
        )


def benchmark_models(config: BenchmarkModelsConfig) -> ModelsBenchmark:
    """Measure every form of a model whose file exists.

    Raises:
        CheckpointError: A model file can't be used.
    """
    figures = []
    context = multiprocessing.get_context("spawn")
    for task in _tasks(config):
        with context.Pool(1) as pool:
            figures.append(pool.apply(measure_form, (task,)))
            pool.close()
            pool.join()
    return ModelsBenchmark(_machine(), config.runs, tuple(figures))


def _tasks(config: BenchmarkModelsConfig) -> Iterator[FormTask]:
    for form, precision in _FORMS.items():
        path = onnx_path(config.model, precision) if precision else config.model
        if precision and not path.is_file():
            continue
        for threads in config.threads:
            yield FormTask(form, path, threads, config.runs, config.data)


def _machine() -> Machine:
    return Machine(
        cpu=_cpu_name(),
        cores=os.cpu_count(),
        system=platform.platform(),
        torch=version("torch"),
        onnxruntime=version("onnxruntime"),
        numpy=version("numpy"),
    )


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if "model name" in line:
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
