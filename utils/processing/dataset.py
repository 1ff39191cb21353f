"""Labelled folders of face images, as NumPy arrays."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.emotions import EMOTIONS
from utils.errors import DataError
from utils.media.sources import is_image_name
from utils.model.preprocessing import Preprocessing
from utils.processing.face_images import FaceImages
from utils.processing.ferplus import load_votes, majority, soft_targets

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class FaceDataset(FaceImages):
    """One split: face images in one folder per class, sorted within each class.

    Attributes:
        labels: int64 ``(N,)``, the class index given by the folder.
        classes: The K class names; the seven emotions in their order if the split has only those.
        votes: float32 ``(N, K + 3)`` FER+ votes, zero for images without votes; None without FER+.
    """

    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    votes: NDArray[np.float32] | None = None

    def targets(self, ferplus_weight: float = 0.0) -> NDArray[np.float32]:
        """Return float32 ``(N, K)`` targets: folder labels blended with FER+ votes.

        Images without usable votes keep their folder label.

        Args:
            ferplus_weight: Share of the votes, 0..1.

        Raises:
            DataError: ``ferplus_weight`` is not 0 and the dataset has no votes.
        """
        hard = np.eye(len(self.classes), dtype=np.float32)[self.labels]
        if not ferplus_weight:
            return hard
        if self.votes is None:
            raise DataError(
                "these images have no FER+ votes (ferplus.csv in the data folder, written by "
                "backend/prepare.py --ferplus); train on the folder names with --ferplus-weight 0"
            )
        soft = soft_targets(self.votes)
        voted = soft.sum(1, keepdims=True) > 0
        weight = np.float32(ferplus_weight) * voted.astype(np.float32)
        values: NDArray[np.float32] = hard * (1 - weight) + soft * weight
        return values

    def ferplus_majority(self) -> NDArray[np.int64] | None:
        """Return int64 ``(N,)`` FER+ majority labels, -1 for images without; None without FER+."""
        return None if self.votes is None else majority(self.votes)

    def with_pixels(self, indices: NDArray[np.int64], pixels: NDArray[np.uint8]) -> "FaceDataset":
        """Return a subset of the images with other pixels.

        Args:
            indices: int64 ``(B,)``.
            pixels: uint8 ``(B, C, S, S)``.
        """
        return replace(
            self,
            paths=[self.paths[i] for i in indices],
            labels=self.labels[indices],
            votes=None if self.votes is None else self.votes[indices],
            _pixels=pixels,
        )

    def counts(self) -> dict[str, int]:
        """Return the number of images of each class."""
        numbers = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=True))

    def _groups(self) -> list[str]:
        return [self.classes[label] for label in self.labels]


def load_split(
    data: Path,
    split: str,
    *,
    preprocessing: Preprocessing,
    classes: tuple[str, ...] | None = None,
    votes_file: Path | None = None,
) -> FaceDataset:
    """List ``DATA/SPLIT/CLASS/*`` and, if present, read the FER+ votes in ``DATA/ferplus.csv``.

    Args:
        data: The data folder.
        split: ``train``, ``validation`` or ``test``.
        preprocessing: Turns an image into network input.
        classes: Class names the split must have; taken from its folders if None.
        votes_file: FER+ votes to use instead of ``DATA/ferplus.csv``.

    Raises:
        DataError: The folder is missing, has no images, fewer than two classes or classes other
            than ``classes``; or the votes can't be read.
    """
    root = data / split
    if not root.is_dir():
        raise DataError(
            f"{root}: no such folder; prepare the data with backend/prepare.py SOURCE --out {data}"
        )
    classes = _check_classes(root, classes)
    by_class = [_list_images(root / name) for name in classes]
    paths = [path for images in by_class for path in images]
    if not paths:
        raise DataError(f"{root}: no images in its class folders")
    labels = np.repeat(np.arange(len(classes), dtype=np.int64), [len(i) for i in by_class])
    votes, source = None, votes_file or data / "ferplus.csv"
    if (votes_file or source.is_file()) and set(classes) == set(EMOTIONS):
        votes = _votes_of(paths, load_votes(source, classes, split=split))
        if votes is None:
            logger.warning("%s has votes for none of the images in %s", source, root)
    return FaceDataset(
        paths=paths, labels=labels, classes=classes, preprocessing=preprocessing, votes=votes
    )


def class_order(names: set[str]) -> tuple[str, ...]:
    """Return class names in order: emotions in the order of ``EMOTIONS``, others alphabetically."""
    if names <= set(EMOTIONS):
        return tuple(e for e in EMOTIONS if e in names)
    return tuple(sorted(names))


def _check_classes(root: Path, classes: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the classes of a split, compared with those it must have, if any."""
    folders = {p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")}
    classes = classes or class_order(folders)
    if len(classes) < 2:
        raise DataError(
            f"{root}: expected a folder for each of two or more classes, found {sorted(folders)}"
        )
    if unknown := folders - set(classes):
        raise DataError(f"{root}: classes {sorted(unknown)} are not among {list(classes)}")
    return classes


def _list_images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if is_image_name(path.name))


def _votes_of(
    paths: list[Path], votes: dict[str, NDArray[np.float32]]
) -> NDArray[np.float32] | None:
    """Return the votes ``(N, K + 3)`` of the files, or None if none of them has votes."""
    if not any(path.name in votes for path in paths):
        return None
    zero = np.zeros_like(next(iter(votes.values())))
    return np.stack([votes.get(path.name, zero) for path in paths])
