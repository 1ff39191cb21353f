"""A data set in any of its usual forms becomes ``train|validation|test/<class>/<picture>``."""

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from PIL import Image

from utils.errors import DataError, ImageError
from utils.media.images import load_image
from utils.media.sources import is_image_name
from utils.processing.prepare.ferplus_join import (
    PreparedImage,
    VoteRow,
    join_votes,
    read_votes,
    write_votes,
)
from utils.processing.prepare.input_formats import FORMS, Candidate, open_source
from utils.processing.prepare.labelled_files import SPLITS

# Files of these kinds are kept byte for byte, all others become PNG.
_KEPT_SUFFIXES = (".png", ".jpg", ".jpeg")
_NOT_JOINED = (
    "FER+ votes could not be joined to any image: this needs the complete fer2013.csv, or images"
    " with FER+ names such as fer0000000.png (those of Kaggle's train/ and test/ have none)"
)

ProgressCallback = Callable[[int, int], None]


@dataclass
class Report:
    """What a preparation did.

    Attributes:
        counts: Pictures by ``(split, class)``, those kept from an earlier run included.
        written: Files written now.
        kept: Files that were there already with the same content.
        problems: What was wrong, a sentence each; the rest was prepared nevertheless.
        remarks: How the source was understood.
        fingerprint: SHA-256 over the sorted (path, size, content hash) of all pictures.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    written: int = 0
    kept: int = 0
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    fingerprint: str = ""


def prepare(
    source: str | Path,
    out: str | Path,
    ferplus: str | Path | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> Report:
    """Bring a data set into the form that training reads.

    Writes ``out/train|validation|test/<class>/<picture>``, ``out/dataset.json`` and, with FER+,
    ``out/ferplus.csv``. Every file is written at once or not at all, so that an interrupted run can
    be repeated and goes on where it stopped.

    Args:
        source: ``fer2013.csv``, Kaggle's folders or an image folder; as it is or in a zip.
        out: Folder to write to; made if needed.
        ferplus: ``fer2013new.csv`` with the votes of FER+.
        overwrite: Replace pictures that are there with other content; else they are a problem.
        progress: Called after each picture with the number done and the number of all.

    Raises:
        DataError: The source is missing, unrecognised or holds no usable picture, the FER+ table is
            bad, or ``out`` can't be written.
    """
    source, out = Path(source), Path(out)
    if source.is_dir() and source.resolve() == out.resolve():
        raise DataError(f"{source} is both the source and the output; choose another --out")
    votes = read_votes(ferplus) if ferplus is not None else None
    data = open_source(source)
    writer = _Writer(out, overwrite)
    writer.report.problems += data.problems
    for done, candidate in enumerate(data.candidates(), start=1):
        writer.add(candidate)
        if progress:
            progress(done, max(done, data.total))
    if not writer.images:
        reasons = "; ".join(writer.report.problems[:3])
        raise DataError(f"{source} holds no usable picture ({reasons or 'it is empty'}); {FORMS}")
    writer.report.remarks += data.remarks
    writer.finish(source.name, votes, data.rows)
    return writer.report


class _Writer:
    """Checks and writes the pictures, and remembers what the report needs."""

    def __init__(self, out: Path, overwrite: bool) -> None:
        self.out = out
        self.report = Report()
        self.images: list[PreparedImage] = []
        self._overwrite = overwrite
        self._digests: dict[str, tuple[int, str]] = {}

    def add(self, candidate: Candidate) -> None:
        """Prepare one picture or note what is wrong with it."""
        problem = candidate.problem
        if problem is None:
            try:
                self._add(candidate)
            except (DataError, ImageError) as error:
                problem = str(error)
        if problem is not None:
            self.report.problems.append(problem)

    def finish(self, source: str, votes: list[VoteRow] | None, rows: int | None) -> None:
        """Write the votes and the description, and look for foreign pictures."""
        lines = (f"{name} {size} {digest}\n" for name, (size, digest) in self._digests.items())
        self.report.fingerprint = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
        self._report_foreign()
        joined = None if votes is None else self._finish_votes(votes, rows)
        counts: dict[str, dict[str, int]] = {}
        for (split, label), count in sorted(self.report.counts.items()):
            counts.setdefault(split, {})[label] = count
        description = {
            "source": source,
            "counts": counts,
            "images": len(self.images),
            "problems": len(self.report.problems),
            "ferplus_joined": joined,
            "fingerprint": self.report.fingerprint,
        }
        _write(self.out / "dataset.json", (json.dumps(description, indent=2) + "\n").encode())

    def _add(self, candidate: Candidate) -> None:
        data = candidate.read()
        pixels = load_image(data, name=candidate.origin)
        name = candidate.name
        if PurePosixPath(name).suffix.lower() not in _KEPT_SUFFIXES:
            name = str(PurePosixPath(name).with_suffix(".png"))
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            data = buffer.getvalue()
        relative = f"{candidate.split}/{candidate.label}/{name}"
        if relative in self._digests:
            raise DataError(f"{candidate.origin}: another picture is {relative} already, left out")
        self._store(self.out / relative, data)
        self._digests[relative] = (len(data), hashlib.sha256(data).hexdigest())
        self.images.append(PreparedImage(candidate.split, name, candidate.row))
        self.report.counts[candidate.split, candidate.label] += 1

    def _store(self, path: Path, data: bytes) -> None:
        if path.is_file():
            if path.read_bytes() == data:
                self.report.kept += 1
                return
            if not self._overwrite and _is_complete(path):
                raise DataError(
                    f"{path} is there with other content; use --overwrite to replace it"
                )
        _write(path, data)
        self.report.written += 1

    def _finish_votes(self, votes: list[VoteRow], rows: int | None) -> int:
        joined, remarks = join_votes(self.images, votes, rows)
        self.report.remarks += remarks
        if joined:
            write_votes(self.out / "ferplus.csv", joined)
        else:
            self.report.problems.append(_NOT_JOINED)
        return len(joined)

    def _report_foreign(self) -> None:
        foreign = [
            path
            for split in SPLITS
            for path in sorted((self.out / split).rglob("*"))
            if is_image_name(path.name)
            and path.relative_to(self.out).as_posix() not in self._digests
        ]
        if foreign:
            self.report.problems.append(
                f"{len(foreign)} pictures in {self.out} are not from this source, for example"
                f" {foreign[0]}; remove them or choose another --out"
            )


def _is_complete(path: Path) -> bool:
    try:
        load_image(path)
    except ImageError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror}") from error
