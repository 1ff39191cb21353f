"""The forms of FER2013 and other labelled faces that are accepted, read as one stream of images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from utils.errors import DataError
from utils.processing.prepare.fer2013_table import count_rows, is_fer2013_csv, read_rows
from utils.processing.prepare.labelled_files import (
    FileTree,
    FolderTree,
    LabelledFile,
    ZipTree,
    find_labelled,
    read_bytes,
)

ACCEPTED_FORMS = (
    "accepted are (1) fer2013.csv or icml_face_data.csv, as it is or in a zip; (2) Kaggle's folders"
    " train/ and test/ with a folder for each emotion, as they are or in a zip; (3) an image folder"
    " train/, validation/, test/ with a folder for each class, as it is or in a zip"
)


@dataclass(frozen=True)
class SourceImage:
    """An image to be prepared, or what is wrong with it.

    Attributes:
        origin: Its name in messages.
        split: ``train``, ``validation`` or ``test``.
        label: Class name, also the name of its folder.
        name: File name in that folder.
        read: Returns the bytes of the image file; raises DataError if they can't be read.
        row: Data row of ``fer2013.csv`` it comes from, counted from 0; None for files.
        problem: What is wrong with it; None for a good image.
    """

    origin: str
    split: str = ""
    label: str = ""
    name: str = ""
    read: Callable[[], bytes] = bytes
    row: int | None = None
    problem: str | None = None


class DatasetSource(Protocol):
    """A dataset before its preparation.

    Attributes:
        total: Number of images to expect; approximate for a table.
        rows: Data rows read so far if the source is ``fer2013.csv``, else None.
        remarks: What the user should know about how the source was understood.
        problems: What can't be used at all.
    """

    total: int
    rows: int | None
    remarks: list[str]
    problems: list[str]

    def images(self) -> Iterator[SourceImage]:
        """Yield the images one by one."""
        ...


def open_source(path: Path) -> DatasetSource:
    """Recognise a dataset by its content.

    Raises:
        DataError: The source is missing or damaged, or has none of the accepted forms.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; {ACCEPTED_FORMS}")
    if not path.is_dir() and path.suffix.lower() != ".zip":
        if path.suffix.lower() != ".csv":
            raise DataError(f"{path} is not a dataset; {ACCEPTED_FORMS}")
        return Fer2013Source(FolderTree(path.parent), path.name)
    files: FileTree = FolderTree(path) if path.is_dir() else ZipTree(path)
    names = files.names()
    labelled, remarks = find_labelled(names)
    if labelled:
        unsafe = files.unsafe_names() if isinstance(files, ZipTree) else []
        problems = [f"{name}: leads outside the folder, not read" for name in unsafe]
        return ImageFolderSource(files, labelled, remarks=remarks, problems=problems)
    if table := _find_table(files, names):
        return Fer2013Source(files, table)
    raise DataError(f"{path} contains no dataset in a known form; {ACCEPTED_FORMS}")


class ImageFolderSource:
    """Images that are files already.

    Args:
        files: Where they are.
        labelled: The images with their split and class.
        remarks: What the user should know about how the source was understood.
        problems: What can't be used at all.
    """

    rows: int | None = None

    def __init__(
        self,
        files: FileTree,
        labelled: list[LabelledFile],
        *,
        remarks: list[str],
        problems: list[str],
    ) -> None:
        self.total = len(labelled)
        self.remarks = remarks
        self.problems = problems
        self._files = files
        self._labelled = labelled

    def images(self) -> Iterator[SourceImage]:
        """Yield the images one by one."""
        for file in self._labelled:

            def read(source: str = file.source) -> bytes:
                return read_bytes(self._files, source)

            yield SourceImage(file.source, file.split, file.label, file.name, read)


class Fer2013Source:
    """``fer2013.csv``, one image per row.

    Args:
        files: Where the table is.
        name: Its name there.

    Raises:
        DataError: The table is damaged.
    """

    def __init__(self, files: FileTree, name: str) -> None:
        self.rows: int | None = 0
        self.remarks: list[str] = []
        self.problems: list[str] = []
        self._files = files
        self._name = name
        try:
            with files.open(name) as stream:
                self.total = count_rows(stream)
        except OSError as error:
            raise DataError(f"{name} can't be read: {error.strerror}") from error

    def images(self) -> Iterator[SourceImage]:
        """Yield the rows one by one, the bad ones with their problem."""
        with self._files.open(self._name) as stream:
            for row in read_rows(stream, self._name):
                self.rows = row.index + 1
                origin = f"{self._name}, row {row.index}"
                yield SourceImage(
                    origin, row.split, row.label, row.name, row.read, row.index, row.problem
                )


def _find_table(files: FileTree, names: list[str]) -> str | None:
    tables = []
    for name in names:
        if name.lower().endswith(".csv"):
            with files.open(name) as stream:
                if is_fer2013_csv(stream):
                    tables.append(name)
    # Kaggle's archives hold the same data under several names.
    return min(tables, key=lambda n: (PurePosixPath(n).name != "fer2013.csv", n), default=None)
