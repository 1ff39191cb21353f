"""Where networks run."""

import torch

from utils.errors import ConfigError


def pick_device(name: str) -> torch.device:
    """Return the device of a name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: The device is not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((d for d, there in available.items() if there), "cpu"))
    if not available.get(name, name == "cpu"):
        raise ConfigError(f"device {name!r} is not available here; use auto or cpu")
    return torch.device(name)
