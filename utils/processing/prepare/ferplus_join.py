"""FER+ (Barsoum et al., 2016): ten crowd votes per image, joined to the prepared images."""

import csv
from dataclasses import dataclass
from pathlib import Path

from utils.emotions import FERPLUS_COLUMNS, FERPLUS_OTHER
from utils.errors import DataError
from utils.files import replaced_file
from utils.processing.prepare.fer2013_table import USAGES

VOTE_NAMES: tuple[str, ...] = (*FERPLUS_COLUMNS, *(name.lower() for name in FERPLUS_OTHER))
_VOTE_COLUMNS: tuple[str, ...] = (*FERPLUS_COLUMNS.values(), *FERPLUS_OTHER)


@dataclass(frozen=True)
class VoteRow:
    """One row of ``fer2013new.csv``.

    Attributes:
        split: ``train``, ``validation`` or ``test``.
        image: Image name of FER+; empty for what is not a face.
        votes: Number of votes, in the order of ``VOTE_NAMES``.
    """

    split: str
    image: str
    votes: tuple[int, ...]


@dataclass(frozen=True)
class PreparedImage:
    """A prepared image, to which votes can be joined.

    Attributes:
        split: ``train``, ``validation`` or ``test``.
        name: File name in its class folder.
        row: Data row of ``fer2013.csv``, counted from 0; None for an image that was a file.
    """

    split: str
    name: str
    row: int | None = None


JoinedVotes = dict[PreparedImage, tuple[int, ...]]


def read_votes(path: str | Path) -> list[VoteRow]:
    """Read ``fer2013new.csv`` of https://github.com/microsoft/FERPlus (MIT licence).

    Raises:
        DataError: The file is missing, lacks columns or has a malformed row.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            missing = {"Usage", "Image name", *_VOTE_COLUMNS} - set(reader.fieldnames or ())
            if missing:
                raise DataError(
                    f"{path} is not the FER+ table (fer2013new.csv): it lacks the columns "
                    + ", ".join(sorted(missing))
                )
            return [_parse(row, path, reader.line_num) for row in reader]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file (--ferplus expects fer2013new.csv)") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} can't be read as a CSV file: {error}") from error


def join_votes(
    images: list[PreparedImage], votes: list[VoteRow], *, rows: int | None
) -> tuple[JoinedVotes, list[str]]:
    """Find the votes of each image.

    Images from ``fer2013.csv`` are joined by row, as FER+ itself does; others by name
    (``fer0000000.png``). Those names are *not* row numbers.

    Args:
        images: The prepared images.
        votes: The whole FER+ table.
        rows: Number of data rows of ``fer2013.csv``, bad ones included; None for images that were
            files.

    Returns:
        The votes of each image that has some, and remarks for the user.
    """
    if rows is None:
        joined, remarks = _by_name(images, votes)
    else:
        joined, remarks = _by_row(images, votes, rows)
    remarks.append(f"FER+ votes: {len(joined)} images joined, {len(images) - len(joined)} without")
    return joined, remarks


def write_votes(path: Path, joined: JoinedVotes) -> None:
    """Write ``image,split,angry,…,nf``, sorted by split and image name, atomically."""
    with replaced_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "split", *VOTE_NAMES])
        for image in sorted(joined, key=lambda image: (image.split, image.name)):
            writer.writerow([image.name, image.split, *joined[image]])


def _parse(row: dict[str, str], path: Path, line: int) -> VoteRow:
    try:
        votes = tuple(int(row[column]) for column in _VOTE_COLUMNS)
        split = USAGES[row["Usage"].strip().lower()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}, line {line}: not a row of FER+ votes ({error})") from error
    if min(votes) < 0:
        raise DataError(f"{path}, line {line}: votes can't be negative")
    return VoteRow(split, (row["Image name"] or "").strip(), votes)


def _by_name(images: list[PreparedImage], votes: list[VoteRow]) -> tuple[JoinedVotes, list[str]]:
    by_name: dict[str, tuple[int, ...]] = {}
    ambiguous = set()
    for row in votes:
        if row.image and by_name.setdefault(row.image, row.votes) != row.votes:
            ambiguous.add(row.image)
    joined = {
        image: by_name[image.name]
        for image in images
        if image.name in by_name and image.name not in ambiguous
    }
    remarks = []
    if names := sorted(ambiguous & {image.name for image in images}):
        remarks.append(f"FER+ has contradictory votes for {', '.join(names)}: not joined")
    return joined, remarks


def _by_row(
    images: list[PreparedImage], votes: list[VoteRow], rows: int
) -> tuple[JoinedVotes, list[str]]:
    if rows != len(votes):
        return {}, [f"the table has {rows} rows, but FER+ has {len(votes)}; they must be equal"]
    joined = {}
    for image in images:
        vote = votes[image.row or 0]
        if vote.split != image.split:
            return {}, [
                f"row {image.row} is in {image.split}, but FER+ has it in {vote.split}: the table"
                " was reordered"
            ]
        joined[image] = vote.votes
    return joined, []
