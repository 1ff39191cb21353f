"""Errors of the service, and the one JSON form that all of them share."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from utils.errors import EmotionError
from utils.results import ErrorInfo

# nginx's status for a closed connection; only the metrics see it.
CLIENT_CLOSED_REQUEST = 499


class UnsupportedTypeError(EmotionError):
    """The body has a content type that this endpoint does not accept."""

    code = "unsupported_type"
    http_status = 415


class ParameterError(EmotionError):
    """A parameter is missing or has an impossible value.

    Args:
        message: What is wrong with it.
        field: Its name.
    """

    code = "bad_parameter"
    http_status = 422

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class KeyRequiredError(EmotionError):
    """The API key is missing or wrong."""

    code = "key_required"
    http_status = 401


class UnknownHostError(EmotionError):
    """The request names a host under which the service may not be reached."""

    code = "unknown_host"
    http_status = 421


class ForeignOriginError(EmotionError):
    """A web page of another origin may not use the service."""

    code = "foreign_origin"
    http_status = 403


class SlowClientError(EmotionError):
    """The body did not arrive in time."""

    code = "slow_upload"
    http_status = 408


class OverloadedError(EmotionError):
    """The service can't handle the request now.

    Args:
        message: Why.
        retry_after: Seconds after which the client may try again.
    """

    code = "overloaded"
    http_status = 503

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimitError(OverloadedError):
    """A client exceeds its request rate."""

    code = "too_many_requests"
    http_status = 429


class NotReadyError(OverloadedError):
    """The model is still being loaded."""

    code = "not_ready"


class ClosingError(OverloadedError):
    """The service is being stopped."""

    code = "closing"


class ErrorBody(BaseModel):
    """The body of every response that is not a success."""

    error: ErrorInfo


RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorBody, "description": description}
    for status, description in {
        400: "The image or video can't be decoded",
        401: "The API key is missing or wrong",
        403: "A web page of another origin may not call",
        408: "The body did not arrive in time",
        413: "Too many bytes, pixels, images or seconds",
        415: "The content type is not accepted here",
        421: "The service may not be reached under this host name",
        422: "A parameter has an impossible value",
        429: "Too many requests; see Retry-After",
        503: "Queue or memory is full, or the model is still being loaded; see Retry-After",
    }.items()
}


def parameter_error(problem: Mapping[str, Any]) -> ParameterError:
    """Return the error that says what pydantic found wrong with a parameter."""
    field = str(problem["loc"][-1])
    return ParameterError(f"{field}: {problem['msg']}", field)


def error_info(error: EmotionError) -> ErrorInfo:
    """Return an error as the JSON object of a response."""
    return ErrorInfo(code=error.code, message=str(error), field=getattr(error, "field", None))


def error_response(error: EmotionError) -> JSONResponse:
    """Return the response to a request that failed."""
    retry_after = getattr(error, "retry_after", None)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if isinstance(error, KeyRequiredError):
        headers["WWW-Authenticate"] = "Bearer"
    return _json_response(error.http_status, error_info(error), headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    """Make an application respond to every error with the same JSON form."""

    @app.exception_handler(EmotionError)
    async def on_emotion_error(request: Request, error: EmotionError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(parameter_error(error.errors()[0]))

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).name.lower()
        return _json_response(
            error.status_code,
            ErrorInfo(code=code, message=str(error.detail)),
            headers=error.headers,
        )

    @app.exception_handler(ClientDisconnect)
    async def on_disconnect(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        # The server logs the traceback; its content is not for the client.
        return _json_response(
            500, ErrorInfo(code="internal", message="The service failed; its log has the details.")
        )


def _json_response(
    status: int, info: ErrorInfo, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = ErrorBody(error=info).model_dump(exclude_none=True)
    return JSONResponse(body, status, dict(headers or {}))
