"""The checkpoint: weights and everything needed to use them, in one safe file."""

import math
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

import torch
from torch import Tensor, nn

from utils.errors import CheckpointError, ConfigError
from utils.models import build_model
from utils.preprocessing import Preprocessing

FORMAT = "emotion-checkpoint"
FORMAT_VERSION = 1
BUNDLED_MODEL = Path(__file__).resolve().parent.parent / "model" / "best_model.pth"


@dataclass
class Checkpoint:
    """A trained model and how it must be used.

    Attributes:
        model: Architecture name in the registry.
        model_args: Arguments of the architecture.
        classes: Class names in output order.
        preprocessing: Crop geometry, input size, colour, mean and deviation.
        state_dict: The weights.
        temperature: Divides the logits before softmax; fitted on validation data.
        threshold: Answers less probable than this are "uncertain"; chosen on validation data.
        label_set: What the model was trained to answer, in words.
        training: The training configuration.
        data: Fingerprint and counts of the training data.
        metrics: Split name to its figures.
        versions: Library versions of the training run.
        revision: Code revision of the training run, None outside a repository.
    """

    model: str
    model_args: dict[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    state_dict: dict[str, Tensor]
    temperature: float = 1.0
    threshold: float = 0.0
    label_set: str = "folder names"
    training: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=lambda: library_versions())
    revision: str | None = field(default_factory=lambda: code_revision())

    def build(self) -> nn.Module:
        """Return the network with its weights, in evaluation mode.

        Raises:
            CheckpointError: The architecture is unknown, the weights are not its own or the classes
                are not as many as its outputs.
        """
        outputs = self.model_args.get("num_classes", len(self.classes))
        if outputs != len(self.classes):
            raise CheckpointError(
                f"the checkpoint names {len(self.classes)} classes for a network of {outputs}"
            )
        try:
            network = build_model(self.model, **self.model_args)
            network.load_state_dict(self.state_dict)
        except ConfigError as error:
            raise CheckpointError(f"the checkpoint needs another architecture: {error}") from error
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise CheckpointError(
                f"the weights do not fit architecture {self.model}: {reason}"
            ) from error
        return network.eval()


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; a reader sees the old file or the new one, never half of it."""
    content = {name: getattr(checkpoint, name) for name in checkpoint.__dataclass_fields__}
    content |= {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "classes": list(checkpoint.classes),
        "preprocessing": checkpoint.preprocessing.to_dict(),
    }
    save_atomically(content, path)


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write plain types and tensors with ``torch.save`` by way of a temporary file."""
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
    """Read a checkpoint safely; None reads the bundled model.

    Raises:
        CheckpointError: The file is missing, truncated, not a checkpoint, contains pickled code or
            is of a newer format.
    """
    path = Path(path) if path else BUNDLED_MODEL
    content = load_plain(path)
    if content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: not a checkpoint of this project (train one with backend/train.py)"
        )
    if content.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: has checkpoint format {content.get('format_version')}, "
            f"not format {FORMAT_VERSION}; update the project or train again"
        )
    try:
        values = {name: content[name] for name in Checkpoint.__dataclass_fields__}
        values["classes"] = tuple(content["classes"])
        values["preprocessing"] = Preprocessing.from_dict(content["preprocessing"])
        _check(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: the checkpoint is incomplete or wrong: {error}") from error
    return Checkpoint(**values)


def _check(values: dict[str, Any]) -> None:
    """Refuse values that would only fail, or give nonsense, when the model is used.

    Raises:
        TypeError, ValueError: A value is of the wrong type or impossible.
    """
    classes, temperature, threshold = (
        values[name] for name in ("classes", "temperature", "threshold")
    )
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f"classes must be different names, not {classes}")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be positive, not {temperature}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be 0 to 1, not {threshold}")
    for name in ("model_args", "state_dict"):
        if not isinstance(values[name], dict):
            raise TypeError(f"{name} must be a mapping, not {type(values[name]).__name__}")


def load_plain(path: Path) -> dict[str, Any]:
    """Read a mapping of plain types and tensors; nothing in the file is executed.

    Raises:
        CheckpointError: The file is missing, truncated, no mapping, or contains pickled code.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such model file")
    # Checkpoints are zip archives; torch would take other files for its old format and fail anyhow.
    if not _is_intact_zip(path):
        raise CheckpointError(f"{path}: damaged or truncated, or not a checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: contains pickled code, which is refused because it could do anything, "
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
    """Say whether every record matches its checksum, which ``torch.load`` does not look at."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError):
        return False
    except RuntimeError:  # an encrypted archive
        return False


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide a result."""
    names = ("torch", "torchvision", "numpy", "pillow", "opencv-python-headless")
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_revision() -> str | None:
    """Return the git revision of the code, ``-dirty`` if changed; None outside a repository."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
