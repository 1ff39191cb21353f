"""Who may call, and how often; every request passes here and is counted."""

import hmac
import time as clock
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.service.errors import KeyRequiredError, RateLimitError, error_response
from backend.service.metrics import Metrics
from backend.service.settings import ServiceSettings
from utils.errors import EmotionError

# Open to everyone: the page and its documentation, and what a balancer asks.
OPEN_PATHS = ("/", "/docs", "/redoc", "/openapi.json", "/healthz", "/readyz")
OPEN_FOLDERS = ("/static-offline-docs/",)
# A browser can't add a header to a WebSocket; it sends the key as a second subprotocol.
KEY_PROTOCOL = "key."
PROTOCOL = "emotion"
_CLIENTS = 10_000


class RateLimit:
    """A token bucket for each client: ``rate`` requests a second, and twice that in a burst."""

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, max(1.0, 2 * rate)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count a request.

        Raises:
            RateLimitError: The client has to wait.
        """
        if not self._rate:
            return
        now = clock.monotonic()
        tokens, last = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - last) * self._rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = max(1, round((1 - tokens) / self._rate))
            raise RateLimitError(f"More than {self._rate:g} requests a second; wait.", wait)


def check_key(settings: ServiceSettings, headers: Headers) -> None:
    """Refuse a request without the key, if there is one.

    Raises:
        KeyRequiredError: The key is missing or wrong.
    """
    if settings.key is None:
        return
    bearer = headers.get("authorization", "")
    given = headers.get("x-api-key") or bearer.removeprefix("Bearer ")
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(KEY_PROTOCOL):
            given = protocol.strip().removeprefix(KEY_PROTOCOL)
    if not hmac.compare_digest(given.encode(), settings.key.get_secret_value().encode()):
        raise KeyRequiredError("The API key is missing or wrong; send it as X-API-Key.")


class Gatekeeper:
    """ASGI middleware: key, rate, and the metrics of every request.

    Args:
        app: What comes behind it.
        settings: The key and the rate.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._rate = RateLimit(settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = clock.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            try:
                self._admit(scope)
            except EmotionError as error:
                await error_response(error)(scope, receive, counted)
            else:
                await self._app(scope, receive, counted)
        finally:
            # Unknown paths are counted as one: a scanner must not fill the memory with names.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path=path, status=str(status)).inc()
            self._metrics.seconds.labels(path=path).observe(clock.perf_counter() - began)

    def _admit(self, scope: Scope) -> None:
        path = scope["path"]
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS) or scope["method"] == "OPTIONS":
            return
        check_key(self._settings, Headers(scope=scope))
        self._rate.take((scope.get("client") or ("?", 0))[0])
