"""How the service starts, ends, and treats clients that send nothing more."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from paths import REPO
from service_process import Service, ServiceStarter, connect_to

from backend.service.settings import get_service_settings
from utils.errors import ConfigError

pytestmark = pytest.mark.slow


def start(*args: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "backend/api.py", *map(str, args)],
        cwd=REPO,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("EMOTION_DETECTOR", "eyes", "eyes"),
        ("EMOTION_MODEL", "/nowhere.pth", "no such model file"),
    ],
)
def test_impossible_settings_are_named(variable: str, value: str, words: str) -> None:
    done = start("--port", 0, **{variable: value})
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MAX_BATCH", "0", "greater than or equal to 1"),
        ("MAX_BODY_MB", "inf", "finite number"),
        ("MAX_BODY_MB", "nan", "finite number"),
        ("MAX_BODY_MB", "-1", "greater than 0"),
        ("MAX_MEMORY_MB", "150", "must be at least 200, twice the largest body"),
        ("UPLOAD_SECONDS", "1e300", "less than or equal to 86400"),
        ("KEY", "schlüssel", "printable ASCII"),
        ("KEY", "", "at least one character"),
        ("CORS_ORIGINS", "example.org", "JSON"),
        ("CORS_ORIGINS", '["https://example.org/"]', "an origin like https://example.org"),
        ("ALLOWED_HOSTS", '["http://example.org"]', "a host name without scheme and port"),
    ],
)
def test_impossible_limits_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"EMOTION_API_{name}", value)
    with pytest.raises(ConfigError, match=re.escape(words)) as refused:
        get_service_settings()
    assert "schlüssel" not in str(refused.value)


@pytest.mark.parametrize("port", ["65536", "-1", "8e3"])
def test_an_impossible_port_is_a_usage_error(port: str) -> None:
    done = start(f"--port={port}")
    assert done.returncode == 2
    assert f"'{port}' is not a port: 0 to 65535" in done.stderr


def test_a_second_service_on_a_port_is_told(service: Service) -> None:
    port = service.address.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost"):
        done = start("--host", host, "--port", port)
        assert done.returncode == 2
        assert f"error: can't listen on {host}, port {port}: another program" in done.stderr
        assert "Traceback" not in done.stderr
    unknown = start("--host", "nowhere.invalid")
    assert unknown.returncode == 2
    assert "error: 'nowhere.invalid' is not a host name" in unknown.stderr


def test_a_client_that_never_completes_a_head_is_disconnected(service: Service) -> None:
    with connect_to(service) as silent, connect_to(service) as half, connect_to(service) as next_:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: ")
        next_.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert next_.recv(4000).startswith(b"HTTP/1.1 200 ")
        next_.sendall(b"GET /hea")
        for connection in (half, next_):
            answer = _read_all(connection)
            assert b" 408 " in answer.split(b"\r\n")[0]
            assert b"did not arrive within 10 seconds" in answer
        assert _read_all(silent) == b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")
def test_a_stalled_upload_does_not_keep_the_service_from_ending(
    start_service: ServiceStarter,
) -> None:
    service = start_service()
    with connect_to(service) as stalled:
        stalled.sendall(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
            b"Content-Length: 100000\r\n\r\n" + bytes(1000)
        )
        time.sleep(1)  # until its body is being read
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(25)  # below the 30 seconds that an upload may take
        answer = _read_all(stalled)
    assert b" 503 " in answer.split(b"\r\n")[0]
    assert b"being stopped" in answer
    assert "Traceback" not in service.log.read_text()


def _read_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(4000):
        parts.append(part)
    return b"".join(parts)
