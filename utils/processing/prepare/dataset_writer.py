"""Writes a dataset as ``train|validation|test/<class>/<image>``."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from PIL import Image

from utils.errors import DataError, ImageError
from utils.files import check_folder, replaced_file
from utils.media.images import load_image
from utils.media.sources import is_image_name
from utils.processing.prepare.ferplus_join import (
    PreparedImage,
    VoteRow,
    join_votes,
    read_votes,
    write_votes,
)
from utils.processing.prepare.input_formats import (
    ACCEPTED_FORMS,
    DatasetSource,
    SourceImage,
    open_source,
)
from utils.processing.prepare.labelled_files import SPLITS

# Files of these kinds are kept byte for byte, all others become PNG.
_KEPT_SUFFIXES = (".png", ".jpg", ".jpeg")
_NOT_JOINED = (
    "FER+ votes could not be joined to any image: this needs the complete fer2013.csv, or images"
    " with FER+ names such as fer0000000.png (those of Kaggle's train/ and test/ have none)"
)


@dataclass
class Report:
    """What a preparation did.

    Attributes:
        counts: Number of images by ``(split, class)``, including those kept from an earlier run.
        written: Number of files written now.
        kept: Number of files that were already there with the same content.
        problems: What was wrong, one sentence each; everything else was prepared.
        remarks: How the source was understood.
        fingerprint: SHA-256 over the sorted (path, size, content hash) of all images.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    written: int = 0
    kept: int = 0
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    fingerprint: str = ""


def prepare(
    source: Path,
    out: Path,
    *,
    ferplus: Path | None = None,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Bring a dataset into the form that training reads.

    Writes ``out/train|validation|test/<class>/<image>``, ``out/dataset.json`` and, with FER+,
    ``out/ferplus.csv``. Every file is written completely or not at all, so an interrupted run can
    be repeated and continues where it stopped.

    Args:
        source: ``fer2013.csv``, Kaggle's folders or an image folder; as it is or in a zip file.
        out: Folder to write to; created if needed.
        ferplus: ``fer2013new.csv`` with the votes of FER+.
        overwrite: Replace images that exist with other content; otherwise they are a problem.
        on_progress: Called after each image with the number done and the total.

    Raises:
        ConfigError: ``out`` is a file, or can't be written to.
        DataError: The source is missing, not recognised or without usable images; the FER+ table
            can't be read; or ``out`` can't be written.
    """
    if source.is_dir() and source.resolve() == out.resolve():
        raise DataError(f"{source} is both the source and the output; choose another --out")
    check_folder(out)
    votes = read_votes(ferplus) if ferplus is not None else None
    dataset = open_source(source)
    writer = _DatasetWriter(out, overwrite=overwrite)
    writer.report.problems += dataset.problems
    for done, image in enumerate(dataset.images(), start=1):
        writer.add(image)
        if on_progress:
            on_progress(done, max(done, dataset.total))
    if not writer.images:
        reasons = "; ".join(writer.report.problems[:3]) or "it is empty"
        raise DataError(f"{source} contains no usable image ({reasons}); {ACCEPTED_FORMS}")
    writer.finish(source.name, dataset, votes)
    return writer.report


class _DatasetWriter:
    """Checks and writes images, and collects what the report needs."""

    def __init__(self, out: Path, *, overwrite: bool) -> None:
        self.report = Report()
        self.images: list[PreparedImage] = []
        self._out = out
        self._overwrite = overwrite
        self._digests: dict[str, tuple[int, str]] = {}

    def add(self, image: SourceImage) -> None:
        """Prepare one image, or note what is wrong with it."""
        problem = image.problem
        if problem is None:
            try:
                self._add(image)
            except (DataError, ImageError) as error:
                problem = str(error)
        if problem is not None:
            self.report.problems.append(problem)

    def finish(self, name: str, source: DatasetSource, votes: list[VoteRow] | None) -> None:
        """Write the votes and the description, and report foreign images.

        Args:
            name: Name of the source.
            source: The source, read to its end.
            votes: The FER+ table; None without FER+.
        """
        self.report.remarks += source.remarks
        lines = (f"{path} {size} {digest}\n" for path, (size, digest) in self._digests.items())
        self.report.fingerprint = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
        self._report_foreign()
        joined = None if votes is None else self._join(votes, source.rows)
        counts: dict[str, dict[str, int]] = {}
        for (split, label), count in sorted(self.report.counts.items()):
            counts.setdefault(split, {})[label] = count
        description = {
            "source": name,
            "counts": counts,
            "images": len(self.images),
            "problems": len(self.report.problems),
            "ferplus_joined": joined,
            "fingerprint": self.report.fingerprint,
        }
        _write(self._out / "dataset.json", (json.dumps(description, indent=2) + "\n").encode())

    def _add(self, image: SourceImage) -> None:
        data = image.read()
        pixels = load_image(data, name=image.origin)
        name = image.name
        if PurePosixPath(name).suffix.lower() not in _KEPT_SUFFIXES:
            name = str(PurePosixPath(name).with_suffix(".png"))
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            data = buffer.getvalue()
        relative = f"{image.split}/{image.label}/{name}"
        if relative in self._digests:
            raise DataError(f"{image.origin}: left out, another image is already {relative}")
        self._store(self._out / relative, data)
        self._digests[relative] = (len(data), hashlib.sha256(data).hexdigest())
        self.images.append(PreparedImage(image.split, name, image.row))
        self.report.counts[image.split, image.label] += 1

    def _store(self, path: Path, data: bytes) -> None:
        if path.is_file():
            if path.read_bytes() == data:
                self.report.kept += 1
                return
            if not self._overwrite and _is_complete(path):
                raise DataError(f"{path} exists with other content; replace it with --overwrite")
        _write(path, data)
        self.report.written += 1

    def _join(self, votes: list[VoteRow], rows: int | None) -> int:
        """Write the votes of the images; return how many images have some."""
        joined, remarks = join_votes(self.images, votes, rows=rows)
        self.report.remarks += remarks
        if joined:
            write_votes(self._out / "ferplus.csv", joined)
        else:
            self.report.problems.append(_NOT_JOINED)
        return len(joined)

    def _report_foreign(self) -> None:
        foreign = [
            path
            for split in SPLITS
            for path in sorted((self._out / split).rglob("*"))
            if is_image_name(path.name)
            and path.relative_to(self._out).as_posix() not in self._digests
        ]
        if foreign:
            self.report.problems.append(
                f"{len(foreign)} images in {self._out} are not from this source, for example"
                f" {foreign[0]}; remove them or choose another --out"
            )


def _is_complete(path: Path) -> bool:
    try:
        load_image(path)
    except ImageError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_file(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror}") from error
