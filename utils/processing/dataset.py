"""Labelled folders of faces as training data."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot
from tqdm import tqdm

from utils.emotions import EMOTIONS
from utils.errors import DataError, ImageError
from utils.media.images import load_image
from utils.media.sources import IMAGE_SUFFIXES
from utils.model.preprocessing import Preprocessing
from utils.processing.ferplus import OTHER, load_votes, majority, soft_targets

log = logging.getLogger(__name__)
_DECODE_THREADS = 4


@dataclass
class FaceDataset:
    """One split: face images in one folder a class.

    Attributes:
        paths: Image files, sorted.
        labels: int64 ``(N,)``, the class index by folder.
        classes: Class names; the seven emotions in their order if the folder has only those.
        preprocessing: Makes network input of an image.
        votes: float32 ``(N, K + 3)`` FER+ votes, zero where an image has none; None without FER+.
    """

    paths: list[Path]
    labels: Tensor
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    votes: NDArray[np.float32] | None = None
    _pixels: Tensor | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    def targets(self, ferplus_weight: float = 0.0) -> Tensor:
        """Return float32 ``(N, K)`` targets: folder labels blended with FER+ votes.

        Images without usable votes keep their folder label.
        """
        hard = one_hot(self.labels, len(self.classes)).float()
        if not ferplus_weight:
            return hard
        if self.votes is None:
            raise DataError(
                "there are no FER+ votes for these images (ferplus.csv in the data folder, made by "
                "backend/prepare.py --ferplus); --ferplus-weight 0 trains on the folder names"
            )
        soft = torch.from_numpy(soft_targets(self.votes))
        weight = ferplus_weight * (soft.sum(1, keepdim=True) > 0)
        return hard * (1 - weight) + soft * weight

    def ferplus_majority(self) -> Tensor | None:
        """Return int64 ``(N,)`` FER+ majority labels, -1 where there is none; None without FER+."""
        return None if self.votes is None else torch.from_numpy(majority(self.votes))

    def cache(self, limit_gb: float, show_progress: bool = False) -> bool:
        """Decode every image into memory as uint8 if that fits; return whether it does.

        Raises:
            DataError: Images can't be decoded; the message names them.
        """
        side, channels = self.preprocessing.input_size, self.preprocessing.channels
        if len(self) * channels * side**2 > limit_gb * 2**30:
            log.info("images do not fit in %.1f GB and are decoded in every epoch", limit_gb)
            return False
        pixels = torch.empty((len(self), channels, side, side), dtype=torch.uint8)
        wrong: list[str] = []

        def decode(i: int) -> None:
            try:
                pixels[i] = self._decode(i)
            except ImageError as error:
                wrong.append(str(error))

        with ThreadPoolExecutor(_DECODE_THREADS) as pool:
            jobs = pool.map(decode, range(len(self)))
            for _ in tqdm(jobs, "decoding", len(self), leave=False, disable=not show_progress):
                pass
        if wrong:
            more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
            raise DataError(
                f"{len(wrong)} images can't be used; mend or remove them: "
                f"{'; '.join(sorted(wrong)[:10])}{more}"
            )
        self._pixels = pixels
        return True

    def batch(self, indices: Tensor) -> Tensor:
        """Return uint8 ``(B, C, S, S)`` images.

        Raises:
            ImageError: An image can't be decoded.
        """
        if self._pixels is not None:
            return self._pixels[indices]
        with ThreadPoolExecutor(_DECODE_THREADS) as pool:
            return torch.stack(list(pool.map(self._decode, indices.tolist())))

    def with_preprocessing(self, preprocessing: Preprocessing) -> "FaceDataset":
        """Return the same images as another preprocessing makes them, sharing decoded pixels."""
        own = self.preprocessing
        same = (own.input_size, own.color) == (preprocessing.input_size, preprocessing.color)
        return replace(self, preprocessing=preprocessing, _pixels=self._pixels if same else None)

    def with_pixels(self, indices: list[int], pixels: Tensor) -> "FaceDataset":
        """Return some of the images with other content, uint8 ``(B, C, S, S)``."""
        return replace(
            self,
            paths=[self.paths[i] for i in indices],
            labels=self.labels[indices],
            votes=None if self.votes is None else self.votes[indices],
            _pixels=pixels,
        )

    def _decode(self, index: int) -> Tensor:
        image = load_image(self.paths[index])
        return torch.from_numpy(self.preprocessing.to_network_size(image[None])[0])

    def fingerprint(self) -> str:
        """Return a SHA-256 over class, name and content of every image."""
        digest = hashlib.sha256()
        for path, label in zip(self.paths, self.labels.tolist(), strict=True):
            digest.update(f"{self.classes[label]}/{path.name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def counts(self) -> dict[str, int]:
        """Return the number of images of each class."""
        numbers = torch.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=True))


def load_split(
    data: Path,
    split: str,
    preprocessing: Preprocessing,
    classes: tuple[str, ...] | None = None,
    votes_file: Path | None = None,
) -> FaceDataset:
    """Read ``DATA/SPLIT/CLASS/*`` and, if there, the FER+ votes in ``DATA/ferplus.csv``.

    Args:
        data: The data folder.
        split: ``train``, ``validation`` or ``test``.
        preprocessing: How images become network input.
        classes: Class names that the split must have; taken from its folders if None.
        votes_file: FER+ votes that lie elsewhere.

    Raises:
        DataError: The folder is missing, has no classes or images, or other classes than asked.
    """
    root = data / split
    if not root.is_dir():
        raise DataError(
            f"{root}: no such folder; prepare the data with backend/prepare.py SOURCE --out {data}"
        )
    folders = {p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")}
    classes = classes or class_order(folders)
    if len(classes) < 2:
        raise DataError(
            f"{root}: expected a folder for each of two or more classes, found {sorted(folders)}"
        )
    if unknown := folders - set(classes):
        raise DataError(f"{root}: classes {sorted(unknown)} are not among {list(classes)}")
    found = [(path, i) for i, name in enumerate(classes) for path in _images(root / name)]
    if not found:
        raise DataError(f"{root}: no images in its class folders")
    paths, labels = [p for p, _ in found], torch.tensor([i for _, i in found])
    votes, source = None, votes_file or data / "ferplus.csv"
    if (votes_file or source.is_file()) and set(classes) == set(EMOTIONS):
        by_name = load_votes(source, classes, split)
        if any(p.name in by_name for p in paths):
            none = np.zeros(len(classes) + len(OTHER), np.float32)
            votes = np.stack([by_name.get(p.name, none) for p in paths])
        else:
            log.warning("%s has votes for none of the images in %s", source, root)
    return FaceDataset(paths, labels, classes, preprocessing, votes)


def class_order(names: set[str]) -> tuple[str, ...]:
    """Return class names in order: the seven emotions in theirs, any others alphabetically."""
    if names <= set(EMOTIONS):
        return tuple(e for e in EMOTIONS if e in names)
    return tuple(sorted(names))


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)


def measure_normalization(pixels: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and deviation of each channel of uint8 ``(N, C, S, S)``, scaled to 0..1."""
    values = pixels.float() / 255
    mean, std = values.mean((0, 2, 3)), values.std((0, 2, 3))
    return tuple(round(v, 4) for v in mean.tolist()), tuple(round(v, 4) for v in std.tolist())
