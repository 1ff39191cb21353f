"""Errors of the service, and the one shape in which all of them are answered."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from utils.errors import EmotionError
from utils.results import ErrorInfo

# Nobody reads it but the metrics; nginx's number for it.
CLIENT_GONE = 499


class UnsupportedTypeError(EmotionError):
    """The body is of a kind that this address does not take."""

    code = "unsupported_type"
    http_status = 415


class ParameterError(EmotionError):
    """A parameter is missing or has an impossible value."""

    code = "bad_parameter"
    http_status = 422

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class KeyRequiredError(EmotionError):
    """The API key is missing or wrong."""

    code = "key_required"
    http_status = 401


class SlowClientError(EmotionError):
    """The body did not arrive in time."""

    code = "slow_upload"
    http_status = 408


class OverloadedError(EmotionError):
    """The request can't be served now; ``retry_after`` seconds later it may be."""

    code = "overloaded"
    http_status = 503

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimitError(OverloadedError):
    """A client asks more often than it may."""

    code = "too_many_requests"
    http_status = 429


class NotReadyError(OverloadedError):
    """The model is still being loaded."""

    code = "not_ready"


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorInfo


RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorBody, "description": words}
    for status, words in {
        400: "Not a picture or video that can be read",
        401: "The API key is missing or wrong",
        408: "The body did not arrive in time",
        413: "Too many bytes, pixels, pictures or seconds",
        415: "A content type that is not taken here",
        422: "A parameter has an impossible value",
        429: "Too many requests; see Retry-After",
        503: "Overloaded or not ready; see Retry-After",
    }.items()
}


def error_info(error: EmotionError) -> ErrorInfo:
    """Return the JSON of an error."""
    return ErrorInfo(code=error.code, message=str(error), field=getattr(error, "field", None))


def error_response(error: EmotionError) -> JSONResponse:
    """Return the answer to a request that failed."""
    later = getattr(error, "retry_after", None)
    headers = {} if later is None else {"Retry-After": str(later)}
    if isinstance(error, KeyRequiredError):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(error.http_status, error_info(error), headers)


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of an application answer in the one shape."""

    @app.exception_handler(EmotionError)
    async def explained(request: Request, error: EmotionError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = str(first["loc"][-1])
        return _answer(
            422,
            ErrorInfo(code="bad_parameter", message=f"{field}: {first['msg']}", field=field),
        )

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).name.lower()
        return _answer(
            error.status_code, ErrorInfo(code=code, message=str(error.detail)), error.headers
        )

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> JSONResponse:
        # The server logs the traceback; what it holds is not for the client.
        return _answer(500, ErrorInfo(code="internal", message="The service made a mistake."))


def _answer(status: int, info: ErrorInfo, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = ErrorBody(error=info).model_dump(exclude_none=True)
    return JSONResponse(body, status, dict(headers or {}))
