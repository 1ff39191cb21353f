"""Request bodies, read into memory within limits; nothing is written to disk."""

import asyncio
import codecs
import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from backend.service.errors import (
    OverloadedError,
    ParameterError,
    SlowClientError,
    UnsupportedTypeError,
)
from utils.concurrency import MemoryBudget
from utils.errors import TooLargeError

_RAW = ("application/octet-stream", "binary/octet-stream")
# In these, every name is text that a response can repeat; in unicode_escape, for one, it is not.
_CHARSETS = ("utf-8", "ascii", "iso8859-1")
# Forms have few fields besides the files; a body of many fields is no upload.
_MAX_FIELDS = 20


@dataclass(frozen=True)
class Upload:
    """One file of a request.

    Attributes:
        name: Its file name, or ``image`` or ``video`` if it has none.
        data: Its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class BodyRules:
    """What the body of a request may be.

    Attributes:
        kind: ``image`` or ``video``.
        field: Name of the form's field.
        max_mb: Largest body, in megabytes.
        seconds: How long the body may take to arrive.
        max_files: Most files in the form.
    """

    kind: str
    field: str
    max_mb: float
    seconds: float
    max_files: int = 1


class _MemoryParser(MultiPartParser):
    # Larger files would be written to disk; the limit of the body is checked before.
    spool_max_size = 2**40


def request_body(*content_types: str, field: str, many: bool = False) -> dict[str, object]:
    """Return the OpenAPI description of a body: a form with files, or a bare file.

    Args:
        *content_types: Content types of a bare file, such as ``image/jpeg``.
        field: Name of the form's field.
        many: The field takes several files.
    """
    file = {"type": "string", "format": "binary"}
    value = {"type": "array", "items": file, "minItems": 1} if many else file
    form = {"type": "object", "properties": {field: value}, "required": [field]}
    content: dict[str, object] = {"multipart/form-data": {"schema": form}}
    content |= {content_type: {"schema": file} for content_type in content_types}
    return {"requestBody": {"required": True, "content": content}}


@asynccontextmanager
async def receive_uploads(
    request: Request, rules: BodyRules, memory: MemoryBudget
) -> AsyncIterator[list[Upload]]:
    """Receive the files of a request, and hold their memory inside an ``async with`` block.

    Args:
        request: Its body is a bare file (``image/…``, ``application/octet-stream``) or a form.
        rules: What the body may be.
        memory: The memory of all bodies.

    Raises:
        OverloadedError: The memory is in use.
        ParameterError: The form has no file, or can't be parsed.
        SlowClientError: The body takes too long.
        TooLargeError: The body or the number of files exceeds its limit.
        UnsupportedTypeError: The content type is not accepted.
    """
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_form = content_type == "multipart/form-data"
    if not (is_form or content_type in _RAW or content_type.startswith(f"{rules.kind}/")):
        raise UnsupportedTypeError(
            f"Content-Type {content_type or '(none)'} is not accepted here: send a form with a "
            f"file, or the file itself as {rules.kind}/… or application/octet-stream."
        )
    body = _Body(request, rules, memory)
    read = _read_form(request, body, rules) if is_form else _read_file(body, rules)
    try:
        try:
            uploads = await asyncio.wait_for(read, rules.seconds)
        except asyncio.TimeoutError as error:
            late = f"The body did not arrive within {rules.seconds:g} seconds."
            raise SlowClientError(late) from error
        yield uploads
    finally:
        memory.release(body.size)


class _Body:
    """The bytes of a request, as they arrive.

    Attributes:
        size: Number of bytes so far; as many are taken from the memory of all bodies.
    """

    def __init__(self, request: Request, rules: BodyRules, memory: MemoryBudget) -> None:
        self._request, self._rules, self._memory = request, rules, memory
        self.size = 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        limit = int(self._rules.max_mb * 1_000_000)
        declared = self._request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise self._too_large()
        async for chunk in self._request.stream():
            if self.size + len(chunk) > limit:
                raise self._too_large()
            # Without waiting: clients that wait would keep what they have sent so far.
            if not self._memory.acquire(len(chunk), timeout=0):
                raise OverloadedError("The memory for uploads is in use; try again in 5 s.", 5)
            self.size += len(chunk)
            yield chunk

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"The body is larger than {self._rules.max_mb:g} MB.")


async def _read_file(body: _Body, rules: BodyRules) -> list[Upload]:
    file = io.BytesIO()
    async for chunk in body.chunks():
        file.write(chunk)
    return [Upload(rules.kind, file.getvalue())]


async def _read_form(request: Request, body: _Body, rules: BodyRules) -> list[Upload]:
    _check_charset(request.headers["content-type"])
    parser = _MemoryParser(
        request.headers,
        body.chunks(),
        max_files=rules.max_files,
        max_fields=_MAX_FIELDS,
        max_part_size=65_536,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            most = "one file" if rules.max_files == 1 else f"{rules.max_files} files"
            raise TooLargeError(f"The form has more than {most}.") from error
        raise ParameterError(f"The form can't be parsed: {error.message}", "body") from error
    except (UnicodeError, ValueError) as error:
        raise ParameterError(
            "The form can't be parsed: its headers are malformed.", "body"
        ) from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    uploads = []
    for number, file in enumerate(files, 1):
        uploads.append(Upload(file.filename or f"{rules.kind} {number}", await file.read()))
        await file.close()  # at once: its memory is needed for the next one
    if not uploads:
        raise ParameterError(
            f"The form has no file; send it in the field {rules.field!r}.", rules.field
        )
    return uploads


def _check_charset(content_type: str) -> None:
    name = parse_options_header(content_type)[1].get(b"charset", b"utf-8").decode("latin-1")
    try:
        known = codecs.lookup(name).name in _CHARSETS
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        known = False
    if not known:
        raise ParameterError(
            f"The form can't be parsed: its charset {name!a} is not supported; send UTF-8.", "body"
        )
