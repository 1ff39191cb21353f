"""Checkpoints: weights and everything needed to use them, in one safe file."""

import hashlib
import logging
import subprocess
from dataclasses import field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from utils.extras import require

require("train", feature="Reading a checkpoint", modules=("torch",))

import torch
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from utils.errors import CheckpointError
from utils.model.architectures import build_model
from utils.model.plain_file import load_plain, save_atomically
from utils.model.spec import ModelSpec, read_spec
from utils.paths import BUNDLED_MODEL, IS_CHECKOUT, PROJECT

logger = logging.getLogger(__name__)

FORMAT = "emotion-checkpoint"
FORMAT_VERSION = 2
# Options in ``training`` that depend on the machine and not on the recipe.
MACHINE_OPTIONS = frozenset({"data", "out", "device", "cache_gb", "compile"})


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that affect results."""
    names = ("torch", "torchvision", "numpy", "pillow", "opencv-python-headless")
    versions = {}
    for name in names:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def code_revision() -> str | None:
    """Return the git revision, with ``-dirty`` if files changed; None outside a repository."""
    if not IS_CHECKOUT:  # an environment may lie in a repository of its own
        return None
    try:
        completed = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return completed.stdout.strip()


@dataclass(kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class Checkpoint(ModelSpec):
    """A trained model with its PyTorch weights.

    Attributes:
        state_dict: The weights.
    """

    state_dict: dict[str, Tensor]
    versions: dict[str, str] = field(default_factory=library_versions)
    revision: str | None = field(default_factory=code_revision)

    def build(self) -> nn.Module:
        """Return the network with its weights, in evaluation mode.

        Raises:
            CheckpointError: The architecture is unknown, or the weights or classes do not fit it.
        """
        expected = len(self.classes) * len(self.heads)
        outputs = self.model_args.get("num_classes", expected)
        if outputs != expected:
            raise CheckpointError(
                f"the checkpoint has {len(self.classes)} classes and {len(self.heads)} heads for "
                f"a network of {outputs} outputs"
            )
        try:
            # Without memory first: the file's weights, not its arguments, say how large it may be.
            with torch.device("meta"):
                self._load_into(build_model(self.model, **self.model_args), assign=True)
            network = build_model(self.model, **self.model_args)
            self._load_into(network)
            network.eval()
            self._try(network)
        except CheckpointError:
            raise
        # Whatever an architecture makes of a file's arguments and weights.
        except Exception as error:
            logger.info("a checkpoint's network can't be built", exc_info=error)
            raise CheckpointError(
                f"the checkpoint's network can't be built: {_last_line(error)}"
            ) from error
        return network

    def _load_into(self, network: nn.Module, *, assign: bool = False) -> None:
        try:
            network.load_state_dict(self.state_dict, assign=assign)
        except RuntimeError as error:
            raise CheckpointError(
                f"the weights do not fit architecture {self.model}: {_last_line(error)}"
            ) from error

    @torch.inference_mode()
    def _try(self, network: nn.Module) -> None:
        """Run the network once, which finds out whether it takes the images and gives numbers."""
        preprocessing, outputs = self.preprocessing, len(self.classes) * len(self.heads)
        side, channels = preprocessing.input_size, preprocessing.channels
        try:
            logits = network(torch.zeros(1, channels, side, side))
        except RuntimeError as error:
            raise CheckpointError(
                f"the network does not take images of {channels} x {side} x {side}: "
                f"{_last_line(error)}"
            ) from error
        if logits.shape != (1, outputs) or not logits.isfinite().all():
            raise CheckpointError(f"the network does not return {outputs} finite numbers")


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__


def weights_hash(checkpoint: Checkpoint) -> str:
    """Return a SHA-256 over names and values of a checkpoint's weights."""
    digest = hashlib.sha256()
    for name, value in sorted(checkpoint.state_dict.items()):
        digest.update(f"{name}\0{tuple(value.shape)}\0".encode())
        # As bytes, because NumPy has no bfloat16.
        digest.update(value.contiguous().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def epochs_in_all(training: dict[str, Any]) -> int:
    """Return the epochs of a checkpoint's training, including those of the one it started from."""
    return int(training.get("epochs") or 0) + int(training.get("epochs_before") or 0)


def start_from(network: nn.Module, checkpoint: Checkpoint, path: Path) -> list[str]:
    """Copy a checkpoint's weights into a network of the same architecture.

    Args:
        network: Changed in place.
        checkpoint: The weights to start from.
        path: Names the checkpoint in errors.

    Returns:
        Names of the weights that were not copied because their shape differs, such as those of the
        last layer if the classes differ.

    Raises:
        CheckpointError: Fewer than half of the weights fit.
    """
    initial = network.state_dict()
    fitting = {
        name: value
        for name, value in checkpoint.state_dict.items()
        if name in initial and value.shape == initial[name].shape
    }
    if len(fitting) * 2 < len(initial):
        raise CheckpointError(
            f"{path}: is a {checkpoint.model} whose weights do not fit the network to be trained"
        )
    network.load_state_dict(fitting, strict=False)
    return sorted(initial.keys() - fitting.keys())


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; readers see the old file or the new one, never a part of it."""
    content = checkpoint.to_dict() | {
        "state_dict": checkpoint.state_dict,
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
    }
    save_atomically(content, path)


def load_checkpoint(path: Path | str | None = None) -> Checkpoint:
    """Load a checkpoint safely; None loads the bundled model.

    Raises:
        CheckpointError: The file is missing, truncated, not a checkpoint, contains pickled code or
            has another format version.
    """
    path = Path(path) if path else BUNDLED_MODEL
    content = load_plain(path)
    if content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: not a checkpoint of this project (train one with backend/train.py)"
        )
    if content.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: has checkpoint format {content.get('format_version')}, not {FORMAT_VERSION}; "
            "update the project or train again"
        )
    checkpoint = read_spec(Checkpoint, content, path=path)
    _check_weights(checkpoint.state_dict, path)
    return checkpoint


def _check_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Refuse weights that no training leaves behind.

    Raises:
        CheckpointError: They are not plain numbers in memory, or some are infinite or NaN.
    """
    for name, value in weights.items():
        plain = value.layout == torch.strided and value.device.type == "cpu"
        # A few numbers can pose as many: repeated, they would fill the memory.
        if not plain or value.is_quantized or value.nbytes > value.untyped_storage().nbytes():
            raise CheckpointError(f"{path}: the weights {name} are not plain numbers")
        if not value.isfinite().all():
            raise CheckpointError(
                f"{path}: the weights {name} contain infinite numbers or NaN; train again"
            )
