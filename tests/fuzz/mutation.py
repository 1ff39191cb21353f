"""Damage to files: the edits that a fuzzer makes to bytes."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from random import Random

# Where parsers count wrongly: the ends of the ranges of integers.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_FIELDS = ("<H", ">H", "<I", ">I", "<Q", ">Q")
_HEADER = 600
_MOST_INSERTED = 64
_PNG = b"\x89PNG\r\n\x1a\n"

Mutator = Callable[[bytes, Random], bytes]


def mutate(data: bytes, rng: Random, others: Sequence[bytes] = ()) -> bytes:
    """Return a damaged copy.

    Args:
        data: The bytes of a file.
        rng: Decides where and how.
        others: Files of which parts may be inserted.
    """
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        if others and rng.random() < 0.1:
            _splice(result, rng, rng.choice(others))
        else:
            rng.choice(_EDITS)(result, rng)
    return bytes(result)


def mutations(
    files: Sequence[bytes], rng: Random, *, count: int, mutators: Sequence[Mutator] = ()
) -> Iterator[bytes]:
    """Yield files, most of them damaged.

    Args:
        files: What they are made from.
        rng: Decides which and how.
        count: Number of files.
        mutators: Ways to damage a file that keep its checksums right, used for half of them.
    """
    for _ in range(count):
        data = rng.choice(files)
        chance = rng.random()
        if chance < 0.05:
            yield data
        elif mutators and chance < 0.5:
            yield rng.choice(mutators)(data, rng)
        else:
            yield mutate(data, rng, files)


def mutate_png(data: bytes, rng: Random) -> bytes:
    """Damage one chunk of a PNG file and correct its checksum; other files as :func:`mutate`."""
    chunks = list(_png_chunks(data)) if data.startswith(_PNG) else []
    if not chunks:
        return mutate(data, rng)
    chosen = rng.randrange(len(chunks))
    kind, content = chunks[chosen]
    chunks[chosen] = kind, mutate(content, rng)
    if rng.random() < 0.2:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    return _PNG + b"".join(png_chunk(kind, content) for kind, content in chunks)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file with its length and checksum."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def mutate_member(data: bytes, rng: Random) -> bytes:
    """Damage one member of a zip archive and pack it again, with the right checksum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    if not members:
        return mutate(data, rng)
    chosen = rng.randrange(len(members))
    name, content = members[chosen]
    members[chosen] = name, mutate(content, rng)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = len(_PNG)
    while start + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        yield data[start + 4 : start + 8], data[start + 8 : start + 8 + length]
        start += length + 12


def _spot(data: bytearray, rng: Random) -> int:
    """Return a position; the headers at both ends of a file are likelier than its middle."""
    length = len(data)
    if length > 2 * _HEADER and rng.random() < 0.6:
        spot = rng.randrange(_HEADER)
        return spot if rng.random() < 0.7 else length - 1 - spot
    return rng.randrange(length) if length else 0


def _flip_bit(data: bytearray, rng: Random) -> None:
    if data:
        data[_spot(data, rng)] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, rng: Random) -> None:
    if data:
        data[_spot(data, rng)] = rng.randrange(256)


def _truncate(data: bytearray, rng: Random) -> None:
    del data[_spot(data, rng) :]


def _insert(data: bytearray, rng: Random) -> None:
    spot = _spot(data, rng)
    data[spot:spot] = rng.randbytes(rng.randint(1, _MOST_INSERTED))


def _delete(data: bytearray, rng: Random) -> None:
    spot = _spot(data, rng)
    del data[spot : spot + rng.randint(1, _MOST_INSERTED)]


def _repeat(data: bytearray, rng: Random) -> None:
    spot, length = _spot(data, rng), rng.randint(1, _MOST_INSERTED)
    data[spot:spot] = data[spot : spot + length] * rng.choice((1, 2, 50))


def _blank(data: bytearray, rng: Random) -> None:
    spot = _spot(data, rng)
    length = min(rng.randint(1, _MOST_INSERTED), len(data) - spot)
    data[spot : spot + length] = bytes([rng.choice((0, 32, 255))]) * length


def _change_number(data: bytearray, rng: Random) -> None:
    """Change what may be a length, size or offset, in any width and byte order."""
    layout = rng.choice(_FIELDS)
    size = struct.calcsize(layout)
    if len(data) < size:
        return
    spot = min(_spot(data, rng), len(data) - size)
    if rng.random() < 0.5:
        number = rng.choice(_NUMBERS)
    else:
        number = struct.unpack_from(layout, data, spot)[0] + rng.randint(-16, 16)
    struct.pack_into(layout, data, spot, number % (1 << 8 * size))


def _splice(data: bytearray, rng: Random, other: bytes) -> None:
    """Continue with the rest of another file, or insert a part of it."""
    donor = bytearray(other)
    start = _spot(donor, rng)
    if rng.random() < 0.5:
        data[_spot(data, rng) :] = donor[start:]
    else:
        spot = _spot(data, rng)
        data[spot:spot] = donor[start : start + 4 * _MOST_INSERTED]


_EDITS: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip_bit,
    _set_byte,
    _set_byte,
    _truncate,
    _insert,
    _delete,
    _repeat,
    _blank,
    _change_number,
    _change_number,
)
