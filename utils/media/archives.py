"""Zip archives of unknown origin: members are read within limits, and every fault is explained."""

import io
import struct
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from utils.errors import EmotionError, ImageError, error_boundary
from utils.media.images import MAX_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Every exception that zipfile has been observed to raise on damaged archives; RuntimeError is the
# base of that for unsupported features.
ZIP_ERRORS = (BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError)
# Those of ISO/IEC 21320-1. Of all others zipfile can't limit the memory: whatever size the archive
# claims, 100 bytes of bzip2 expand to 150 MB at once.
_METHODS = (ZIP_STORED, ZIP_DEFLATED)
_ENCRYPTED = 1
# Members of an archive, unless told otherwise; the list of a million takes 600 MB.
MAX_MEMBERS = 100_000
_MEMBER_SIGNATURE = b"PK\x01\x02"
# Bytes to decompress at once.
_CHUNK = 1 << 16


class ZipArchive:
    """A zip archive whose members are read only when they are needed; safe to share by threads.

    Args:
        file: The archive.
        name: Its name in error messages.
        error: The type of the errors that are raised.
        max_members: Archives of more members are refused before the list of them is made.

    Attributes:
        members: Its files, without folders, in the archive's order.

    Raises:
        EmotionError: The file is not a zip archive, or has too many members.
    """

    def __init__(
        self,
        file: Path | IO[bytes],
        name: str,
        *,
        error: type[EmotionError] = ImageError,
        max_members: int = MAX_MEMBERS,
    ) -> None:
        self._name, self._error = name, error
        too_many = error(f"{name}: has more than {max_members:,} files; pack it as several")
        with error_boundary(
            lambda reason: error(
                f"{name}: is damaged or not a zip archive ({reason}); obtain the file again"
            ),
            known=ZIP_ERRORS,
        ):
            opened = file.open("rb") if isinstance(file, Path) else file
            listed = _ListedFile(opened, max_members, too_many)
            self._zip = ZipFile(cast("IO[bytes]", listed))
            self.members = [member for member in self._zip.infolist() if not member.is_dir()]

    def open(self, member: ZipInfo) -> IO[bytes]:
        """Open a member.

        Raises:
            EmotionError: It is damaged, encrypted or not compressed with Deflate; reading the
                stream may raise this, too.
        """
        if member.flag_bits & _ENCRYPTED:
            raise self._error(f"{member.filename}: is encrypted; unpack {self._name} first")
        if member.compress_type not in _METHODS:
            raise self._error(
                f"{member.filename}: is compressed by an unusual method; pack {self._name} with "
                "Deflate, as most programs do"
            )
        boundary = partial(self._boundary, member)
        with boundary():
            stream = self._zip.open(member)
        return io.BufferedReader(_MemberStream(stream, boundary))

    def read(self, member: ZipInfo) -> bytes:
        """Return the content of a member.

        Raises:
            EmotionError: As by :meth:`open`, or it is larger than ``MAX_BYTES``.
        """
        # zipfile returns no more than the size that the archive claims.
        if member.file_size > MAX_BYTES:
            raise self._error(f"{member.filename}: is larger than {MAX_BYTES // 1_000_000} MB")
        with self.open(member) as stream:
            return stream.read()

    def _boundary(self, member: ZipInfo) -> AbstractContextManager[None]:
        return error_boundary(
            lambda reason: self._error(
                f"{member.filename}: can't be read from {self._name} ({reason})"
            ),
            known=ZIP_ERRORS,
        )


class _ListedFile:
    """The file of an archive, which fails when zipfile reads a list of too many members.

    zipfile reads the list at once; contents it reads in pieces that hold fewer signatures.
    """

    def __init__(self, file: IO[bytes], most: int, error: EmotionError) -> None:
        self._file, self._most, self._error = file, most, error

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if data.count(_MEMBER_SIGNATURE) > self._most:
            raise self._error
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _MemberStream(io.RawIOBase):
    """The content of a member, decompressed bit by bit."""

    def __init__(
        self, stream: IO[bytes], boundary: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._stream, self._boundary = stream, boundary

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        with self._boundary():
            data = self._stream.read(min(len(view), _CHUNK))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
