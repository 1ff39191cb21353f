"""The service as a target: requests and WebSockets in the process, bytes over loopback."""

import base64
import json
import logging
import os
import socket
import threading
import time
from typing import Any
from urllib.parse import quote

from fuzz import service_inputs
from fuzz.worker import Run, Target

_LIMITS = {
    "MAX_BODY_MB": "0.2", "MAX_BATCH_MB": "0.5", "MAX_VIDEO_MB": "0.5", "MAX_BATCH": "3",
    "MAX_MEGAPIXELS": "1", "MAX_VIDEO_SECONDS": "2", "UPLOAD_SECONDS": "1", "WORKERS": "1",
    "CORS_ORIGINS": '["https://example.org"]',
}  # fmt: skip
_SILENCE = 1.5  # seconds, more than the server waits for a body
_CLOSE_CODES = (1000, 1008, 1013)
_ALLOWED_5XX = (501, 503, 505)  # not implemented, overloaded, HTTP version


def _start_app() -> Any:
    """Return the service's application with small limits."""
    os.environ |= {f"EMOTION_API_{name}": value for name, value in _LIMITS.items()}
    from backend.service.app import create_app
    from backend.service.settings import get_service_settings
    from utils.settings import get_settings

    return create_app(get_service_settings(), get_settings())


def _client() -> Any:
    from starlette.testclient import TestClient

    client = TestClient(_start_app(), base_url="http://localhost")
    client.__enter__()  # as long as the process lives
    while client.get("/readyz").status_code != 200:
        time.sleep(0.1)
    return client


def _check_status(status: int, body: bytes) -> bool:
    """Return whether a response is a success; raise if it is neither that nor an explanation."""
    assert status < 500 or status in _ALLOWED_5XX, f"status {status}: {body[:200]!r}"
    if status >= 400 and status != 499 and body:
        error = json.loads(body)["error"]
        assert error["code"] != "internal"
        assert error["message"]
    return status < 400


def _open_requests() -> Run:
    client = _client()

    def run(data: bytes) -> bool:
        request = json.loads(data)
        query = "&".join(f"{quote(k)}={quote(v)}" for k, v in request["query"])
        response = client.request(
            request["method"],
            quote(request["path"]) + (f"?{query}" if query else ""),
            headers=[(k.encode(), v.encode("latin-1", "replace")) for k, v in request["headers"]],
            content=base64.b64decode(request["body"]),
        )
        return _check_status(response.status_code, response.content)

    return run


def _open_sockets() -> Run:
    from starlette.websockets import WebSocketDisconnect

    client = _client()

    def run(data: bytes) -> bool:
        session = json.loads(data)
        query = "&".join(f"{quote(k)}={quote(v)}" for k, v in session["query"])
        answers, close_code = [], 1000
        try:
            with client.websocket_connect(f"/ws?{query}", session["protocols"]) as connection:
                for kind, message in session["messages"]:
                    if kind == "text":
                        connection.send_text(message)
                    else:
                        connection.send_bytes(base64.b64decode(message))
                    answers.append(json.loads(connection.receive_text()))
        except WebSocketDisconnect as error:
            close_code = error.code
        assert close_code in _CLOSE_CODES, close_code
        assert all(("result" in answer) != ("error" in answer) for answer in answers)
        return all("result" in answer for answer in answers)

    return run


def _open_loopback() -> Run:
    import uvicorn

    config = uvicorn.Config(_start_app(), "127.0.0.1", 0, log_level="error", ws_max_size=200_000)
    server, errors = uvicorn.Server(config), _ErrorLog()
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addHandler(errors)
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.1)
    address = server.servers[0].sockets[0].getsockname()
    while b"200 OK" not in _exchange(address, b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"):
        time.sleep(0.1)

    def run(data: bytes) -> bool:
        response = _exchange(address, data)
        assert not errors.texts, errors.texts.pop()
        if not response.startswith(b"HTTP/1.1 "):
            return False
        head, _, body = response.partition(b"\r\n\r\n")
        status = int(head[9:12])
        return _check_status(status, body if b"application/json" in head else b"")

    return run


class _ErrorLog(logging.Handler):
    """Keeps what the server logs as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


def _exchange(address: tuple[str, int], data: bytes) -> bytes:
    """Send bytes and return what the server sends until it closes or keeps silent."""
    received = b""
    with socket.create_connection(address) as connection:
        connection.settimeout(_SILENCE)
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError):  # it waits for more, or refused in the middle
            pass
    return received


SERVICE_TARGETS = (
    Target("requests", _open_requests, service_inputs.make_requests, 50),
    Target("sockets", _open_sockets, service_inputs.make_sockets, 50),
    Target("loopback", _open_loopback, service_inputs.make_loopback, 10),
)
