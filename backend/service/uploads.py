"""Bodies of requests, read into memory within limits; nothing is put on disk."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from backend.service.errors import ParameterError, SlowClientError, UnsupportedTypeError
from utils.errors import TooLargeError

_RAW = ("application/octet-stream", "binary/octet-stream")
# Forms carry few fields beside the files; a body of nothing but fields is no upload.
_MAX_FIELDS = 20


@dataclass(frozen=True)
class Upload:
    """One file of a request: what it is called, and its bytes."""

    name: str
    data: bytes


class _MemoryParser(MultiPartParser):
    # Larger files would be put on disk; the body's limit holds before.
    spool_max_size = 2**40


def body_of(*kinds: str, field: str, many: bool = False) -> dict[str, object]:
    """Return the OpenAPI description of a body: a form with files, or one file as it is.

    Args:
        kinds: Content types of a file as it is, such as ``image/jpeg``.
        field: The form's field.
        many: The form takes several files, and nothing else is taken.
    """
    file = {"type": "string", "format": "binary"}
    value = {"type": "array", "items": file, "minItems": 1} if many else file
    form = {"type": "object", "properties": {field: value}, "required": [field]}
    content: dict[str, object] = {"multipart/form-data": {"schema": form}}
    content |= {kind: {"schema": file} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


async def read_uploads(
    request: Request, kind: str, limit_mb: float, seconds: float, most: int = 1
) -> list[Upload]:
    """Return the files of a request.

    Args:
        request: Its body is one file (``image/…``, ``application/octet-stream``) or a form.
        kind: ``image`` or ``video``.
        limit_mb: Larger bodies are refused.
        seconds: How long the body may take to arrive.
        most: Files that the form may hold.

    Raises:
        ParameterError: The form holds no file.
        SlowClientError: The body takes too long.
        TooLargeError: The body or the number of files is beyond its limit.
        UnsupportedTypeError: The content type is another.
    """
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_form = content_type == "multipart/form-data"
    if not (is_form or content_type in _RAW or content_type.startswith(f"{kind}/")):
        raise UnsupportedTypeError(
            f"Content-Type {content_type or '(none)'} is not taken here: send a form with a file, "
            f"or the file itself as {kind}/… or application/octet-stream."
        )
    try:
        body = await asyncio.wait_for(_read(request, limit_mb), seconds)
    except asyncio.TimeoutError as error:
        raise SlowClientError(f"The body did not arrive within {seconds:g} seconds.") from error
    if not is_form:
        return [Upload(kind, body)]
    return await _files(request, body, kind, most)


async def _read(request: Request, limit_mb: float) -> bytes:
    limit = int(limit_mb * 1_000_000)
    problem = TooLargeError(f"The body is larger than {limit_mb:g} MB.")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise problem
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise problem
    return bytes(body)


async def _files(request: Request, body: bytes, kind: str, most: int) -> list[Upload]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = _MemoryParser(
        request.headers, stream(), max_files=most, max_fields=_MAX_FIELDS, max_part_size=65_536
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise TooLargeError(f"The form holds more than {most} files.") from error
        raise ParameterError(f"The form can't be read: {error.message}", "body") from error
    except (KeyError, UnicodeError, ValueError) as error:  # no boundary, names of no known charset
        raise ParameterError("The form can't be read: its headers are broken.", "body") from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    uploads = [
        Upload(file.filename or f"{kind} {number}", await file.read())
        for number, file in enumerate(files, 1)
    ]
    await form.close()
    if not uploads:
        raise ParameterError(f"The form holds no file; send it as the field {kind!r}.", kind)
    return uploads
