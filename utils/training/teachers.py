"""The predictions of teachers, made once for a set of images and then kept on disk."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor

from utils.errors import CheckpointError, ConfigError, OutputError
from utils.evaluation.predict import predict_logits
from utils.model.checkpoint import Checkpoint, load_checkpoint, weights_hash
from utils.model.plain_file import load_plain, save_atomically
from utils.processing.face_images import FaceImages

logger = logging.getLogger(__name__)
# Part of the key: another number when the same teacher's predictions are made in another way.
_VERSION = 2
_AVERAGE = "flip"


def mean_predictions(
    paths: Sequence[Path], images: FaceImages, *, classes: tuple[str, ...], device: torch.device
) -> dict[str, Tensor]:
    """Return the teachers' mean calibrated probabilities for every image.

    Each teacher's logits are averaged over the image and its mirror image. They are kept in the
    user's cache folder, so that the next run with the same images need not compute them.

    Args:
        paths: Checkpoints of the teachers.
        images: The N images.
        classes: The K classes that the teachers must have.
        device: Where the teachers run.

    Returns:
        Float32 ``(N, K)`` by the name of the head; each head is averaged over the teachers that
        have it.

    Raises:
        CheckpointError: A teacher can't be read.
        ConfigError: A teacher has other classes.
        DataError: An image can't be read.
        ImageError: An image can't be decoded.
    """
    teachers = [_load_teacher(path, classes) for path in paths]
    fingerprint = images.fingerprint() if teachers else ""
    by_head: dict[str, list[Tensor]] = {}
    for path, teacher in zip(paths, teachers, strict=True):
        stored = cache_folder() / f"{_key(teacher, fingerprint)}.pth"
        logits = _load(stored, len(images))
        if logits is None:
            logger.info("%s: predicting %d images, kept in %s", path, len(images), stored)
            logits = _predict(teacher, images, device)
            _store(logits, stored)
        for head in teacher.heads:
            columns = logits[:, teacher.head_columns(head)].numpy()
            by_head.setdefault(head.name, []).append(torch.from_numpy(head.probabilities(columns)))
    return {name: torch.stack(predictions).mean(0) for name, predictions in by_head.items()}


def cache_folder() -> Path:
    """Return the folder of stored predictions; deleting it costs only the time to predict again."""
    return user_cache_path("emotion-detection", appauthor=False) / "teachers"


def _load_teacher(path: Path, classes: tuple[str, ...]) -> Checkpoint:
    teacher = load_checkpoint(path)
    if teacher.classes != classes:
        raise ConfigError(f"{path}: the teacher has classes {teacher.classes}, the data {classes}")
    return teacher


def _predict(teacher: Checkpoint, images: FaceImages, device: torch.device) -> Tensor:
    network = teacher.build().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    seen = images.with_preprocessing(teacher.preprocessing)
    return predict_logits(network, seen, device=device, average=_AVERAGE)


def _key(teacher: Checkpoint, fingerprint: str) -> str:
    """Return a hash over everything that logits depend on; a head's calibration comes after."""
    preprocessing = teacher.preprocessing
    parts = {
        "version": _VERSION,
        "weights": weights_hash(teacher),
        "network": [teacher.model, teacher.model_args],
        "size": preprocessing.input_size,
        "color": preprocessing.color,
        "normalization": [preprocessing.mean, preprocessing.std],
        "average": _AVERAGE,
        "images": fingerprint,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _load(path: Path, images: int) -> Tensor | None:
    """Return stored logits ``(images, H * K)``; None if there are none, or they are damaged."""
    if not path.exists():
        return None
    try:
        logits = load_plain(path).get("logits")
    except CheckpointError:
        logits = None
    if isinstance(logits, Tensor) and logits.ndim == 2 and len(logits) == images:
        return logits
    logger.warning("%s: damaged predictions of a teacher are replaced", path)
    return None


def _store(logits: Tensor, path: Path) -> None:
    try:
        save_atomically({"logits": logits}, path)
    except OutputError as error:
        logger.warning("%s: predictions can't be kept, the next run repeats them (%s)", path, error)
