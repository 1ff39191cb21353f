"""Access control by host, origin, key and rate; every request passes here and is counted."""

import asyncio
import hmac
import time as clock
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.service.errors import ClosingError, KeyRequiredError, RateLimitError, error_response
from backend.service.hosts import HostCheck
from backend.service.metrics import ServiceMetrics
from backend.service.settings import ServiceSettings
from utils.errors import EmotionError

# Open to everyone: the page, the documentation, and the health checks of a load balancer.
OPEN_PATHS = ("/", "/docs", "/redoc", "/openapi.json", "/healthz", "/readyz")
OPEN_FOLDERS = ("/static-offline-docs/",)
# Browsers can't add headers to a WebSocket; they send the key as a second subprotocol.
KEY_PROTOCOL = "key."
PROTOCOL = "emotion"
# Wrong keys that a client may send at once; one more is allowed after each of these seconds.
WRONG_KEYS, WRONG_KEY_SECONDS = 10, 6.0
_MAX_CLIENTS = 10_000
_MAX_RETRY_SECONDS = 3600


class RateLimit:
    """A token bucket for each client.

    Args:
        rate: Requests per second and client; 0 is no limit.
        burst: Requests at once; by default those of two seconds.
        message: What a client that exceeds its rate is told.
    """

    def __init__(self, rate: float, *, burst: float | None = None, message: str = "") -> None:
        self._rate, self._capacity = rate, burst or max(1.0, 2 * rate)
        self._message = message or f"More than {rate:g} requests per second"
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str) -> None:
        """Refuse a request if the client exceeds its rate, without counting it.

        Raises:
            RateLimitError: The client has to wait.
        """
        tokens = self._tokens(client)
        if self._rate and tokens < 1:
            retry_after = int(min(max(1, round((1 - tokens) / self._rate)), _MAX_RETRY_SECONDS))
            raise RateLimitError(f"{self._message}; try again in {retry_after} s.", retry_after)

    def count(self, client: str) -> None:
        """Count a request."""
        self._buckets[client] = (self._tokens(client) - 1, clock.monotonic())
        self._buckets.move_to_end(client)
        if len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)

    def _tokens(self, client: str) -> float:
        now = clock.monotonic()
        tokens, last = self._buckets.get(client, (self._capacity, now))
        return min(self._capacity, tokens + (now - last) * self._rate)


class AccessControl:
    """Decides whether a request may pass.

    Args:
        settings: The key, the rate, hosts and origins.
        host: The name or address that the service listens on.
    """

    def __init__(self, settings: ServiceSettings, host: str) -> None:
        self._key = settings.key
        self._hosts = HostCheck(
            host, allowed_hosts=settings.allowed_hosts, origins=settings.cors_origins
        )
        self._rate = RateLimit(settings.rate)
        self._wrong_keys = RateLimit(
            1 / WRONG_KEY_SECONDS, burst=WRONG_KEYS, message="Too many wrong API keys"
        )

    def check(self, scope: Scope) -> None:
        """Refuse a request that may not pass.

        Raises:
            ForeignOriginError: A web page of another origin sent it.
            KeyRequiredError: The key is missing or wrong.
            RateLimitError: The client has to wait.
            UnknownHostError: The host is not one under which the service may be reached.
        """
        headers, path = Headers(scope=scope), scope["path"]
        self._hosts.check(headers)
        is_open = path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
        if is_open or scope.get("method") == "OPTIONS":
            return
        client = (scope.get("client") or ("?", 0))[0]
        self._check_key(headers, client)
        self._rate.check(client)
        self._rate.count(client)

    def _check_key(self, headers: Headers, client: str) -> None:
        if self._key is None:
            return
        # A client that has guessed too often learns nothing more, not even of a right key.
        self._wrong_keys.check(client)
        key = _sent_key(headers)
        if hmac.compare_digest(key.encode(), self._key.get_secret_value().encode()):
            return
        if key:
            self._wrong_keys.count(client)
        raise KeyRequiredError("The API key is missing or wrong; send it in the X-API-Key header.")


def _sent_key(headers: Headers) -> str:
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(KEY_PROTOCOL):
            return protocol.strip().removeprefix(KEY_PROTOCOL)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return headers.get("x-api-key") or bearer


class AccessMiddleware:
    """ASGI middleware that lets requests pass or responds with an error, and counts them all.

    WebSockets pass: browsers show an error only after the connection is accepted.

    Args:
        app: The application behind it.
        access: Which requests may pass.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, access: AccessControl, *, metrics: ServiceMetrics) -> None:
        self._app, self._access, self._metrics = app, access, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, started = clock.perf_counter(), 500, False

        async def send_counted(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
            await send(message)

        try:
            self._access.check(scope)
            await self._app(scope, receive, send_counted)
        except EmotionError as error:
            await error_response(error)(scope, receive, send_counted)
        except asyncio.CancelledError:
            # The server ends, and has waited long enough.
            if started:
                raise
            closing = ClosingError("The service is being stopped.")
            await error_response(closing)(scope, receive, send_counted)
        finally:
            # Unknown paths share one label: a scanner must not fill the memory with names.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path=path, status=str(status)).inc()
            self._metrics.seconds.labels(path=path).observe(clock.perf_counter() - start)
