"""Where networks run: devices, threads, sessions of ONNX Runtime."""

import logging
import os
import platform
import sys
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from utils.errors import CheckpointError, ConfigError
from utils.files import unusable_reason

if TYPE_CHECKING:
    import onnxruntime
    import torch

logger = logging.getLogger(__name__)
# Files that the drivers of NVIDIA's and AMD's GPUs create.
_DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


def pick_device(name: str) -> "torch.device":
    """Return PyTorch's device of a name; ``auto`` prefers CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: The device is not available on this machine.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((d for d, there in available.items() if there), "cpu"))
    if not available.get(name, name == "cpu"):
        raise ConfigError(f"device {name!r} is not available here; use auto or cpu")
    return torch.device(name)


def image_workers() -> int:
    """Return how many images to process at once: one for each core, at most 8.

    The limit bounds the memory of the images that are open at the same time.
    """
    return min(os.cpu_count() or 1, 8)


def resolves_to_cpu(name: str) -> bool:
    """Tell whether ``pick_device`` would return the CPU, without loading PyTorch if it can be told.

    Loading PyTorch takes a second, which programs that run ONNX files save. Where PyTorch is not
    installed, the CPU is all there is.
    """
    if name != "auto":
        return name == "cpu"
    if sys.platform.startswith("linux"):
        no_gpu = not any(path.exists() for path in _DRIVERS)
    elif sys.platform == "win32":
        no_gpu = find_library("nvcuda") is None
    else:
        no_gpu = platform.machine() != "arm64"
    return no_gpu or find_spec("torch") is None or pick_device("auto").type == "cpu"


def limit_threads(threads: int | None) -> int:
    """Set how many cores inference uses in this process, and return the number.

    Args:
        threads: Number of cores; None is half of them, because encoding the video of a live page
            needs the others.
    """
    count = threads or max(1, (os.cpu_count() or 2) // 2)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    else:  # PyTorch reads this if it is loaded later; the bundled model runs without it
        os.environ["OMP_NUM_THREADS"] = str(count)
    cv2.setNumThreads(count)
    return count


def open_session(path: Path, threads: int) -> "onnxruntime.InferenceSession":
    """Open an ONNX file with ONNX Runtime on the CPU.

    Args:
        path: The ``.onnx`` file.
        threads: Cores that one run may use.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    import onnxruntime

    if reason := unusable_reason(path, "model file"):
        raise CheckpointError(f"{path}: {reason}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads would spin and take the cores that live video needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's errors have no common type.
    except Exception as error:
        logger.info("%s can't be opened", path, exc_info=error)
        raise CheckpointError(f"{path}: damaged, or not an ONNX model") from error
