"""Labelled images in a folder or a zip file: which file belongs to which split and class."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from utils.emotions import EMOTIONS
from utils.errors import DataError
from utils.media.archives import ZipArchive
from utils.media.images import MAX_BYTES
from utils.media.sources import is_image_name

SPLITS = ("train", "validation", "test")
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
_SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "neutrality": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
}
_VALIDATION_SHARE = 0.1
# Of an archive; the largest datasets of labelled faces have half as many.
_MAX_IMAGES = 1_000_000


class FileTree(Protocol):
    """Files below one root, named by relative POSIX paths."""

    def names(self) -> list[str]:
        """Return the names of the files, sorted, without hidden ones."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open a file.

        Raises:
            DataError: The file can't be read.
        """
        ...


class FolderTree:
    """The files of a folder on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the names of the files, sorted, without hidden ones."""
        found = (p.relative_to(self.root) for p in self.root.rglob("*") if p.is_file())
        return sorted(p.as_posix() for p in found if not _is_junk(p.parts))

    def open(self, name: str) -> IO[bytes]:
        """Open a file.

        Raises:
            DataError: The file can't be read.
        """
        try:
            return (self.root / name).open("rb")
        except OSError as error:
            raise DataError(f"{self.root / name} can't be read: {error.strerror}") from error


class ZipTree:
    """The files of a zip archive; names that lead outside the folder are never read.

    Raises:
        DataError: The archive is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._archive = ZipArchive(path, str(path), error=DataError, max_members=_MAX_IMAGES)
        self._members = {member.filename: member for member in self._archive.members}

    def names(self) -> list[str]:
        """Return the names of the files, sorted, without hidden and unsafe ones."""
        safe = (name for name in self._members if not _is_unsafe(name))
        return sorted(name for name in safe if not _is_junk(PurePosixPath(name).parts))

    def unsafe_names(self) -> list[str]:
        """Return the names that lead outside the folder (``../x``, ``/x``, ``C:x``), sorted."""
        return sorted(name for name in self._members if _is_unsafe(name))

    def open(self, name: str) -> IO[bytes]:
        """Open a file.

        Raises:
            DataError: The file is damaged or encrypted; reading the stream may raise this, too.
        """
        return self._archive.open(self._members[name])


@dataclass(frozen=True)
class LabelledFile:
    """An image file in the source and in the prepared dataset.

    Attributes:
        source: Its relative POSIX path in the source.
        split: ``train``, ``validation`` or ``test``.
        label: Class name.
        name: File name in the class folder.
    """

    source: str
    split: str
    label: str
    name: str


def read_bytes(files: FileTree, name: str) -> bytes:
    """Return the content of a file.

    Raises:
        DataError: The file is damaged, encrypted or larger than any image.
    """
    try:
        with files.open(name) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{name} can't be read: {error}") from error
    if len(data) > MAX_BYTES:
        raise DataError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB")
    return data


def find_labelled(names: list[str]) -> tuple[list[LabelledFile], list[str]]:
    """Derive the split and class of every image from its path, ``…/train/happy/x.png``.

    Kaggle's ``train`` and ``test`` hold three splits, told apart by names such as
    ``PublicTest_1.png``. If there is no validation split otherwise, 10% of each class of train
    become one, chosen by a hash of the file name and so always the same.

    Args:
        names: Relative POSIX paths.

    Returns:
        The images (none if the paths do not have this form), and remarks for the user.
    """
    images = [name for name in names if is_image_name(PurePosixPath(name).name)]
    found = _by_folder(_unwrap(images))
    skipped = len(names) - len(found)
    remarks = []
    if skipped:
        remarks.append(f"{skipped} files that are not images of a class were left out")
    if not any(f.split == "train" for f in found):
        return [], remarks
    found = _normalise_labels(found)
    if not any(f.split == "validation" for f in found):
        found, remark = _make_validation(found)
        remarks.append(remark)
    if not any(f.split == "test" for f in found):
        remarks.append("there is no test split")
    return found, remarks


def _is_junk(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") for part in parts)
    return hidden or "__MACOSX" in parts or parts[-1:] in (("Thumbs.db",), ("desktop.ini",))


def _is_unsafe(name: str) -> bool:
    return bool(re.match(r"/|[A-Za-z]:", name)) or "\\" in name or ".." in name.split("/")


def _unwrap(names: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Pair each name with its path parts, without folders that contain everything."""
    paths = [(name, PurePosixPath(name).parts) for name in names]
    while paths and {len(parts) > 1 and parts[0] for _, parts in paths} == {paths[0][1][0]}:
        if paths[0][1][0].lower() in _SPLIT_NAMES:
            break
        paths = [(name, parts[1:]) for name, parts in paths]
    return paths


def _by_folder(paths: list[tuple[str, tuple[str, ...]]]) -> list[LabelledFile]:
    found = []
    for source, parts in paths:
        split = _SPLIT_NAMES.get(parts[0].lower())
        if split and len(parts) >= 3:
            # Folders below the class become part of the name, so that a class is one flat folder.
            found.append(LabelledFile(source, split, parts[1], "_".join(parts[2:])))
    return found


def _normalise_labels(found: list[LabelledFile]) -> list[LabelledFile]:
    lower = {label: label.lower() for label in {f.label for f in found}}
    normal = {label: _SYNONYMS.get(low, low) for label, low in lower.items()}
    if not set(normal.values()) <= set(EMOTIONS):
        return found
    return [LabelledFile(f.source, f.split, normal[f.label], f.name) for f in found]


def _make_validation(found: list[LabelledFile]) -> tuple[list[LabelledFile], str]:
    moved = {f for f in found if f.split == "test" and f.name.lower().startswith("publictest")}
    if moved:
        remark = f"validation: the {len(moved)} PublicTest images of the test folder"
    else:
        moved = _sample_of_train(found)
        remark = (
            f"there is no validation split: {len(moved)} images of train became one (10% of each"
            " class, by a hash of the file name)"
        )
    return [
        LabelledFile(f.source, "validation" if f in moved else f.split, f.label, f.name)
        for f in found
    ], remark


def _sample_of_train(found: list[LabelledFile]) -> set[LabelledFile]:
    by_label: dict[str, list[LabelledFile]] = defaultdict(list)
    for file in found:
        if file.split == "train":
            by_label[file.label].append(file)
    chosen: set[LabelledFile] = set()
    for files in by_label.values():
        files.sort(key=lambda f: hashlib.sha256(f.name.encode()).digest())
        chosen.update(files[: round(len(files) * _VALIDATION_SHARE)])
    return chosen
