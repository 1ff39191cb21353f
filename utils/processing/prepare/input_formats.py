"""The forms in which people have FER2013, or any labelled faces, read as one stream of pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from utils.errors import DataError
from utils.processing.prepare.fer2013_table import count_rows, is_fer2013_csv, read_rows
from utils.processing.prepare.labelled_files import (
    ZIP_ERRORS,
    Files,
    FolderFiles,
    LabelledFile,
    ZipFiles,
    find_labelled,
    read_bytes,
)

FORMS = (
    "accepted are (1) fer2013.csv or icml_face_data.csv, as it is or in a zip; (2) Kaggle's folders"
    " train/ and test/ with a folder for each emotion, as they are or in a zip; (3) an image folder"
    " train/, validation/, test/ with a folder for each class, as it is or in a zip"
)


@dataclass(frozen=True)
class Candidate:
    """A picture to be prepared, or what is wrong with it.

    Attributes:
        origin: What to call it in messages.
        split: ``train``, ``validation`` or ``test``.
        label: Class name, also the name of its folder.
        name: File name in that folder.
        read: Gives the bytes of the picture file; raises DataError where they can't be read.
        row: Data row of ``fer2013.csv`` it comes from, None for files.
        problem: What is wrong; None for a good picture.
    """

    origin: str
    split: str = ""
    label: str = ""
    name: str = ""
    read: Callable[[], bytes] = bytes
    row: int | None = None
    problem: str | None = None


class Source(Protocol):
    """A data set before its preparation.

    Attributes:
        total: How many candidates will come, nearly.
        rows: Data rows read so far where the source is ``fer2013.csv``, else None.
        remarks: What the user should know about how the source was understood.
        problems: What can't be used at all.
    """

    total: int
    rows: int | None
    remarks: list[str]
    problems: list[str]

    def candidates(self) -> Iterator[Candidate]:
        """Give the pictures one by one."""
        ...


def open_source(path: str | Path) -> Source:
    """Recognise a data set by its content.

    Raises:
        DataError: It is missing, damaged, or has none of the accepted forms.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; {FORMS}")
    if not path.is_dir() and path.suffix.lower() != ".zip":
        if path.suffix.lower() != ".csv":
            raise DataError(f"{path} is not a data set; {FORMS}")
        return TableSource(FolderFiles(path.parent), path.name)
    files: Files = FolderFiles(path) if path.is_dir() else ZipFiles(path)
    names = files.names()
    unsafe = files.unsafe_names() if isinstance(files, ZipFiles) else []
    labelled, remarks = find_labelled(names)
    if labelled:
        problems = [f"{name}: leads outside the folder, not read" for name in unsafe]
        return FilesSource(files, labelled, remarks, problems)
    if table := _find_table(files, names):
        return TableSource(files, table)
    raise DataError(f"{path} holds no data set that could be recognised; {FORMS}")


class FilesSource:
    """Pictures that are files already."""

    rows: int | None = None

    def __init__(
        self, files: Files, labelled: list[LabelledFile], remarks: list[str], problems: list[str]
    ) -> None:
        self.total = len(labelled)
        self.remarks = remarks
        self.problems = problems
        self._files = files
        self._labelled = labelled

    def candidates(self) -> Iterator[Candidate]:
        """Give the pictures one by one."""
        for file in self._labelled:

            def read(source: str = file.source) -> bytes:
                return read_bytes(self._files, source)

            yield Candidate(file.source, file.split, file.label, file.name, read)


class TableSource:
    """``fer2013.csv``, a row a picture."""

    def __init__(self, files: Files, name: str) -> None:
        self.rows: int | None = 0
        self.remarks: list[str] = []
        self.problems: list[str] = []
        self._files = files
        self._name = name
        try:
            with files.open(name) as stream:
                self.total = count_rows(stream)
        except ZIP_ERRORS as error:
            raise DataError(f"{name} is damaged ({error}); download it again") from error

    def candidates(self) -> Iterator[Candidate]:
        """Give the rows one by one, the bad ones with their problem."""
        with self._files.open(self._name) as stream:
            for row in read_rows(stream, self._name):
                self.rows = row.index + 1
                origin = f"{self._name}, row {row.index}"
                yield Candidate(
                    origin, row.split, row.label, row.name, row.read, row.index, row.problem
                )


def _find_table(files: Files, names: list[str]) -> str | None:
    tables = []
    for name in names:
        if name.lower().endswith(".csv"):
            with files.open(name) as stream:
                if is_fer2013_csv(stream):
                    tables.append(name)
    # Kaggle's archives hold the same data under several names.
    return min(tables, key=lambda n: (PurePosixPath(n).name != "fer2013.csv", n), default=None)
