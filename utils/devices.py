"""Where networks run."""

import os
import platform
import sys
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from utils.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    import onnxruntime
    import torch

# What the drivers of NVIDIA's and AMD's cards put there.
_DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


def pick_device(name: str) -> "torch.device":
    """Return the device of a name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: The device is not there.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((d for d, there in available.items() if there), "cpu"))
    if not available.get(name, name == "cpu"):
        raise ConfigError(f"device {name!r} is not available here; use auto or cpu")
    return torch.device(name)


def image_workers() -> int:
    """Return how many pictures to work on at once: one for each core, at most 8.

    Each holds pictures in memory.
    """
    return min(os.cpu_count() or 1, 8)


def resolves_to_cpu(name: str) -> bool:
    """Tell whether ``pick_device`` would take the CPU, without loading PyTorch where that is plain.

    PyTorch takes a second to load, which a program that runs ONNX files does without.
    """
    if name != "auto":
        return name == "cpu"
    if sys.platform.startswith("linux"):
        no_card = not any(path.exists() for path in _DRIVERS)
    elif sys.platform == "win32":
        no_card = find_library("nvcuda") is None
    else:
        no_card = platform.machine() != "arm64"
    return no_card or pick_device("auto").type == "cpu"


def limit_threads(threads: int | None) -> int:
    """Set how many cores inference uses in this process, and return the number.

    Args:
        threads: None takes half of the cores: coding the video of a live page needs the others.
    """
    count = threads or max(1, (os.cpu_count() or 2) // 2)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    else:  # it reads this when it is loaded, which the bundled model does without
        os.environ["OMP_NUM_THREADS"] = str(count)
    cv2.setNumThreads(count)
    return count


def open_session(path: Path, threads: int) -> "onnxruntime.InferenceSession":
    """Open an ONNX file for the CPU.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as ort

    damaged = (
        ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NoSuchFile,
        ort.NotImplemented, ort.RuntimeException,
    )  # fmt: skip
    if not path.is_file():
        raise CheckpointError(f"{path}: no such model file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads that spin would take the cores that live video needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except damaged as error:
        raise CheckpointError(f"{path}: damaged, or not an ONNX model") from error
