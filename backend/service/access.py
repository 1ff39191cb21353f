"""Access control: the API key and the rate limit; every request passes here and is counted."""

import hmac
import time as clock
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.service.errors import KeyRequiredError, RateLimitError, error_response
from backend.service.metrics import ServiceMetrics
from backend.service.settings import ServiceSettings
from utils.errors import EmotionError

# Open to everyone: the page, the documentation, and the health checks of a load balancer.
OPEN_PATHS = ("/", "/docs", "/redoc", "/openapi.json", "/healthz", "/readyz")
OPEN_FOLDERS = ("/static-offline-docs/",)
# Browsers can't add headers to a WebSocket; they send the key as a second subprotocol.
KEY_PROTOCOL = "key."
PROTOCOL = "emotion"
_MAX_CLIENTS = 10_000


class RateLimit:
    """A token bucket for each client, which holds twice the requests of a second for bursts.

    Args:
        rate: Requests per second and client; 0 is no limit.
    """

    def __init__(self, rate: float) -> None:
        self._rate, self._capacity = rate, max(1.0, 2 * rate)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Count a request, and refuse it if the client exceeds its rate.

        Raises:
            RateLimitError: The client has to wait.
        """
        if not self._rate:
            return
        now = clock.monotonic()
        tokens, last = self._buckets.pop(client, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - last) * self._rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        if len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            retry_after = max(1, round((1 - tokens) / self._rate))
            raise RateLimitError(
                f"More than {self._rate:g} requests per second; try again in {retry_after} s.",
                retry_after,
            )


def check_key(settings: ServiceSettings, headers: Headers) -> None:
    """Refuse a request without the key, if one is required.

    Raises:
        KeyRequiredError: The key is missing or wrong.
    """
    if settings.key is None:
        return
    bearer = headers.get("authorization", "")
    key = headers.get("x-api-key") or bearer.removeprefix("Bearer ")
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(KEY_PROTOCOL):
            key = protocol.strip().removeprefix(KEY_PROTOCOL)
    if not hmac.compare_digest(key.encode(), settings.key.get_secret_value().encode()):
        raise KeyRequiredError("The API key is missing or wrong; send it in the X-API-Key header.")


class AccessMiddleware:
    """ASGI middleware that checks the key and the rate, and counts every request.

    Args:
        app: The application behind it.
        settings: The key and the rate.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, *, metrics: ServiceMetrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._rate = RateLimit(settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = clock.perf_counter(), 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            try:
                self._check(scope)
            except EmotionError as error:
                await error_response(error)(scope, receive, send_counted)
            else:
                await self._app(scope, receive, send_counted)
        finally:
            # Unknown paths share one label: a scanner must not fill the memory with names.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path=path, status=str(status)).inc()
            self._metrics.seconds.labels(path=path).observe(clock.perf_counter() - start)

    def _check(self, scope: Scope) -> None:
        path = scope["path"]
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS) or scope["method"] == "OPTIONS":
            return
        check_key(self._settings, Headers(scope=scope))
        self._rate.check((scope.get("client") or ("?", 0))[0])
