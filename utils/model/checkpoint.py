"""Checkpoints: weights and everything needed to use them, in one safe file."""

import os
import pickle
import subprocess
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from utils.extras import require

require("train", feature="Reading a checkpoint", modules=("torch",))

import torch
from torch import Tensor, nn

from utils.errors import CheckpointError, ConfigError
from utils.model.architectures import build_model
from utils.model.spec import ModelSpec
from utils.paths import BUNDLED_MODEL, IS_CHECKOUT, PROJECT

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


@dataclass(kw_only=True)
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
            network = build_model(self.model, **self.model_args)
            network.load_state_dict(self.state_dict)
        except ConfigError as error:
            raise CheckpointError(f"the checkpoint's network can't be built: {error}") from error
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise CheckpointError(
                f"the weights do not fit architecture {self.model}: {reason}"
            ) from error
        return network.eval()


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


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write plain types and tensors with ``torch.save``, through a temporary file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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
    try:
        values = ModelSpec.values_from_dict(content)
        weights = content["state_dict"]
        if not isinstance(weights, dict):
            raise TypeError(f"state_dict must be a mapping, not {type(weights).__name__}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: the checkpoint is incomplete or wrong: {error}") from error
    return Checkpoint(**values, state_dict=weights)


def load_plain(path: Path) -> dict[str, Any]:
    """Load a mapping of plain types and tensors; nothing in the file is executed.

    Raises:
        CheckpointError: The file is missing, truncated, not a mapping, or contains pickled code.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such model file")
    # Checkpoints are zip archives; torch would treat other files as its old format and fail.
    if not _is_intact_zip(path):
        raise CheckpointError(f"{path}: damaged or truncated, or not a checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: contains pickled code, which is refused because it could run anything, "
            "or is damaged"
        ) from error
    except (
        RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    ) as error:  # fmt: skip
        raise CheckpointError(f"{path}: damaged, or not a checkpoint") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: not a checkpoint of this project")
    return content


def _is_intact_zip(path: Path) -> bool:
    """Return whether every record matches its checksum, which ``torch.load`` does not check."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError):
        return False
    except RuntimeError:  # an encrypted archive
        return False
