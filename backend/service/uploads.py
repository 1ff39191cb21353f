"""Request bodies, read into memory within limits; nothing is written to disk."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from backend.service.errors import ParameterError, SlowClientError, UnsupportedTypeError
from utils.errors import TooLargeError

_RAW = ("application/octet-stream", "binary/octet-stream")
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


async def read_uploads(
    request: Request, kind: str, *, max_mb: float, timeout: float, max_files: int = 1
) -> list[Upload]:
    """Return the files of a request.

    Args:
        request: Its body is a bare file (``image/…``, ``application/octet-stream``) or a form.
        kind: ``image`` or ``video``.
        max_mb: Largest body, in megabytes.
        timeout: How long the body may take to arrive, in seconds.
        max_files: Most files in the form.

    Raises:
        ParameterError: The form has no file, or can't be parsed.
        SlowClientError: The body takes too long.
        TooLargeError: The body or the number of files exceeds its limit.
        UnsupportedTypeError: The content type is not accepted.
    """
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_form = content_type == "multipart/form-data"
    if not (is_form or content_type in _RAW or content_type.startswith(f"{kind}/")):
        raise UnsupportedTypeError(
            f"Content-Type {content_type or '(none)'} is not accepted here: send a form with a "
            f"file, or the file itself as {kind}/… or application/octet-stream."
        )
    try:
        body = await asyncio.wait_for(_read(request, max_mb), timeout)
    except asyncio.TimeoutError as error:
        raise SlowClientError(f"The body did not arrive within {timeout:g} seconds.") from error
    if not is_form:
        return [Upload(kind, body)]
    return await _parse_form(request, body, kind=kind, max_files=max_files)


async def _read(request: Request, max_mb: float) -> bytes:
    limit = int(max_mb * 1_000_000)
    too_large = TooLargeError(f"The body is larger than {max_mb:g} MB.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


async def _parse_form(request: Request, body: bytes, *, kind: str, max_files: int) -> list[Upload]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body
        yield b""

    parser = _MemoryParser(
        request.headers, stream(), max_files=max_files, max_fields=_MAX_FIELDS, max_part_size=65_536
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise TooLargeError(f"The form has more than {max_files} files.") from error
        raise ParameterError(f"The form can't be parsed: {error.message}", "body") from error
    except (KeyError, UnicodeError, ValueError) as error:  # no boundary, or an unknown charset
        raise ParameterError(
            "The form can't be parsed: its headers are malformed.", "body"
        ) from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    uploads = [
        Upload(file.filename or f"{kind} {number}", await file.read())
        for number, file in enumerate(files, 1)
    ]
    await form.close()
    if not uploads:
        raise ParameterError(f"The form has no file; send it in the field {kind!r}.", kind)
    return uploads
