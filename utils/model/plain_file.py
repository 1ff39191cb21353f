"""Files of plain types and tensors: written as a whole, read without running anything."""

import io
import logging
import pickle
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch

from utils.errors import CheckpointError, error_boundary
from utils.files import unusable_reason, write_file
from utils.media.archives import ZIP_ERRORS

logger = logging.getLogger(__name__)


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write plain types and tensors with ``torch.save``.

    Raises:
        OutputError: The file can't be written; an existing one is left as it was.
    """
    file = io.BytesIO()
    torch.save(content, file)
    write_file(path, file.getbuffer(), sync=True)


def load_plain(path: Path) -> dict[str, Any]:
    """Load a mapping of plain types and tensors; nothing in the file is executed.

    Raises:
        CheckpointError: The file is missing, truncated, not a mapping, or contains pickled code.
    """
    if reason := unusable_reason(path, "model file"):
        raise CheckpointError(f"{path}: {reason}")
    # torch would treat other files as its old format and fail.
    _check_records(path)
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


def _check_records(path: Path) -> None:
    """Compare every record with its checksum, which ``torch.load`` does not do.

    Raises:
        CheckpointError: One differs, or the file is no zip archive, as checkpoints are.
    """
    damaged = CheckpointError(f"{path}: damaged or truncated, or not a checkpoint")
    with error_boundary(lambda reason: damaged, known=ZIP_ERRORS), ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise damaged
