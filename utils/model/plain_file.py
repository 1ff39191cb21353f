"""Files of plain types and tensors: written as a whole, read without running anything."""

import logging
import os
import pickle
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from utils.errors import CheckpointError

logger = logging.getLogger(__name__)


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
    # A damaged pickle can fail in any way.
    except Exception as error:
        logger.info("%s can't be loaded", path, exc_info=error)
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
