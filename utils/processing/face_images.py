"""Face images as NumPy arrays, with nothing known about them but their pixels."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from utils.errors import DataError, ImageError
from utils.media.images import load_image
from utils.media.sources import list_images
from utils.model.preprocessing import Preprocessing

logger = logging.getLogger(__name__)
_DECODE_THREADS = 4
_MAX_LISTED_ERRORS = 10
_Images = TypeVar("_Images", bound="FaceImages")


@dataclass(eq=False, kw_only=True)
class FaceImages:
    """Images that each show one face.

    Attributes:
        paths: The N image files.
        preprocessing: Turns an image into network input.
    """

    paths: list[Path]
    preprocessing: Preprocessing
    _pixels: NDArray[np.uint8] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.paths)

    def cache(self, limit_gb: float, *, show_progress: bool = False) -> bool:
        """Decode every image into memory as uint8 if they fit; return whether they do.

        Args:
            limit_gb: Most memory to use, in GiB.
            show_progress: Draw a progress bar on standard error.

        Raises:
            DataError: Images can't be decoded; the message names them.
        """
        side, channels = self.preprocessing.input_size, self.preprocessing.channels
        if len(self) * channels * side**2 > limit_gb * 2**30:
            logger.info("images do not fit in %.1f GB; decoding them in every epoch", limit_gb)
            return False
        pixels = np.empty((len(self), channels, side, side), np.uint8)
        errors: list[str] = []

        def decode(i: int) -> None:
            try:
                pixels[i] = self._decode(i)
            except ImageError as error:
                errors.append(str(error))

        with ThreadPoolExecutor(_DECODE_THREADS) as pool:
            jobs = pool.map(decode, range(len(self)))
            for _ in tqdm(jobs, "decoding", len(self), leave=False, disable=not show_progress):
                pass
        if errors:
            raise DataError(_describe_unusable(errors))
        self._pixels = pixels
        return True

    def batch(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return images as uint8 ``(B, C, S, S)``, grey or RGB.

        Args:
            indices: int64 ``(B,)``.

        Raises:
            ImageError: An image can't be decoded.
        """
        if self._pixels is not None:
            return self._pixels[indices]
        with ThreadPoolExecutor(_DECODE_THREADS) as pool:
            return np.stack(list(pool.map(self._decode, indices.tolist())))

    def with_preprocessing(self: _Images, preprocessing: Preprocessing) -> _Images:
        """Return the same images for another preprocessing; cached pixels are shared if equal."""
        old, new = self.preprocessing, preprocessing
        same = (old.input_size, old.color) == (new.input_size, new.color)
        return replace(self, preprocessing=preprocessing, _pixels=self._pixels if same else None)

    def fingerprint(self) -> str:
        """Return a SHA-256 over class, if there are classes, name and content of every image.

        Raises:
            DataError: A file can't be read.
        """
        digest = hashlib.sha256()
        for path, group in zip(self.paths, self._groups(), strict=True):
            digest.update(f"{group}/{path.name}\0".encode())
            digest.update(hashlib.sha256(_content(path)).digest())
        return digest.hexdigest()

    def _groups(self) -> list[str]:
        """Return what each image belongs to, for the fingerprint."""
        return [""] * len(self)

    def _decode(self, index: int) -> NDArray[np.uint8]:
        image = load_image(self.paths[index])
        values: NDArray[np.uint8] = self.preprocessing.to_network_size(image[None])[0]
        return values


def load_faces(folder: Path, *, preprocessing: Preprocessing) -> FaceImages:
    """List the face images in a folder and its subfolders, sorted by path.

    Args:
        folder: Images that each show one face, as ``backend/prepare.py --faces`` writes them.
        preprocessing: Turns an image into network input.

    Raises:
        DataError: There are no images.
        ImageError: The folder is missing or can't be read.
    """
    paths = list_images(folder)
    if not paths:
        raise DataError(f"{folder}: the folder contains no images")
    return FaceImages(paths=paths, preprocessing=preprocessing)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: can't be read ({error.strerror})") from error


def _describe_unusable(errors: list[str]) -> str:
    rest = len(errors) - _MAX_LISTED_ERRORS
    more = f" and {rest} more" if rest > 0 else ""
    return (
        f"{len(errors)} images can't be used; repair or remove them: "
        f"{'; '.join(sorted(errors)[:_MAX_LISTED_ERRORS])}{more}"
    )
