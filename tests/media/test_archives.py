"""Zip archives: what is damaged in one is named, and everything else in it is read."""

import io
import logging
import random
import tracemalloc
import zipfile
from contextlib import suppress

import pytest

from utils.errors import ImageError
from utils.media.archives import ZipArchive
from utils.media.images import MAX_BYTES
from utils.media.sources import zip_sources

METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}
UNUSUAL = {"bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA, "unknown": 99}
CONTENT = random.Random(0).randbytes(300) * 3


def archive_of(members: dict[str, int], content: bytes = CONTENT) -> bytes:
    """Return a zip archive; the values are the compression methods."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, method in members.items():
            archive.writestr(name, content, method)
    return file.getvalue()


def read_all(data: bytes) -> dict[str, bytes | str]:
    """Return the content of every image, or why it can't be read."""
    found: dict[str, bytes | str] = {}
    for source in zip_sources(io.BytesIO(data), "photos.zip"):
        assert source.read is not None or source.error is not None
        try:
            found[source.name] = source.read() if source.read else str(source.error)
        except ImageError as error:
            found[source.name] = str(error)
    return found


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_damaged_member_is_named_and_the_others_are_read(method: int) -> None:
    data = bytearray(archive_of({"a.png": method, "b.png": method, "c.png": method}))
    second = data.index(b"b.png") + 60
    data[second : second + 40] = b"\xff" * 40
    found = read_all(bytes(data))
    assert found["a.png"] == found["c.png"] == CONTENT
    assert str(found["b.png"]).startswith("b.png: can't be read from photos.zip (")


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [(6, 1, "a.png: is encrypted; unpack photos.zip first")]
    + [(8, value, "a.png: is compressed by an unusual method") for value in UNUSUAL.values()],
    ids=["encrypted", *UNUSUAL],
)
def test_a_member_of_an_unsupported_kind_is_named(offset: int, value: int, reason: str) -> None:
    data = bytearray(archive_of({"a.png": zipfile.ZIP_DEFLATED, "b.png": zipfile.ZIP_DEFLATED}))
    local, central = data.index(b"PK\3\4"), data.index(b"PK\1\2")
    data[local + offset] = data[central + offset + 2] = value
    found = read_all(bytes(data))
    assert found["b.png"] == CONTENT
    assert str(found["a.png"]).startswith(reason)


@pytest.mark.parametrize("seed", range(8))
def test_any_damage_is_explained(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(seed)
    methods = METHODS | {"bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}
    whole = archive_of({f"{name}.png": method for name, method in methods.items()})
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 3, 20))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with suppress(ImageError):  # damaged where the archive lists its members
            read_all(bytes(data[: rng.choice((len(data), rng.randrange(len(data))))]))
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING], "of an unknown type"


def test_a_member_that_expands_beyond_what_it_claims_takes_little_memory() -> None:
    data = bytearray(archive_of({"bomb.png": zipfile.ZIP_DEFLATED}, bytes(50_000_000)))
    central = data.index(b"PK\1\2")
    data[central + 24 : central + 28] = (900).to_bytes(4, "little")
    tracemalloc.start()
    try:
        found = read_all(bytes(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "can't be read from photos.zip" in str(found["bomb.png"])
    assert peak < 5_000_000


def test_a_member_that_claims_to_be_huge_is_not_read() -> None:
    data = bytearray(archive_of({"a.png": zipfile.ZIP_DEFLATED}))
    central = data.index(b"PK\1\2")
    data[central + 24 : central + 28] = (MAX_BYTES + 1).to_bytes(4, "little")
    assert read_all(bytes(data)) == {"a.png": "a.png: is larger than 200 MB"}


def test_what_is_no_archive_is_told() -> None:
    for data in (b"", b"no archive", archive_of({"a.png": 0})[:40]):
        with pytest.raises(ImageError, match=r"photos\.zip: is damaged or not a zip archive"):
            ZipArchive(io.BytesIO(data), "photos.zip")


def test_an_archive_of_too_many_members_is_refused_before_they_are_listed() -> None:
    data = archive_of({f"{number}.png": zipfile.ZIP_STORED for number in range(2000)}, b"")
    assert len(ZipArchive(io.BytesIO(data), "many.zip", max_members=2000).members) == 2000
    # Whatever the archive says of their number.
    claims = [data, data[:-14] + b"\x01\0\x01\0" + data[-10:-2] + b"\0\0"]
    for claim in claims:
        tracemalloc.start()
        with pytest.raises(ImageError, match=r"^many.zip: has more than 1,999 files; pack it as"):
            ZipArchive(io.BytesIO(claim), "many.zip", max_members=1999)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * len(data)
