"""What is received at once stays within the memory that the settings allow."""

import contextlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from service_process import Service, ServiceStarter, connect_to
from threads import wait_until
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import connect

pytestmark = pytest.mark.slow
MB = 1_000_000
HEAD = (
    f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    f"Content-Length: {20 * MB}\r\n\r\n"
).encode()
STALLED = 12


@pytest.fixture(scope="module")
def small(start_service: ServiceStarter) -> Service:
    """A service whose memory for bodies takes one of the uploads below, but not two."""
    return start_service(
        EMOTION_API_MAX_BATCH_MB="20",
        EMOTION_API_MAX_VIDEO_MB="20",
        EMOTION_API_MAX_MEMORY_MB="50",
    )


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)
# The head of a masked binary frame of 19 MB.
FRAME = b"\x82\xff" + (19 * MB).to_bytes(8, "big") + bytes(4)


def stall(connection: socket.socket) -> bytes:
    """Send most of a body, and return the response; empty if the connection is closed first."""
    with contextlib.suppress(OSError):  # refused before everything was sent
        connection.sendall(HEAD + bytes(18 * MB))
    with contextlib.suppress(OSError):
        return connection.recv(4000)
    return b""


def test_stalled_uploads_take_no_more_memory_than_allowed(
    small: Service, astronaut_jpg: Path
) -> None:
    before = small.memory_mb()
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(STALLED) as pool:
        connections = [stack.enter_context(connect_to(small)) for _ in range(STALLED)]
        futures = [pool.submit(stall, connection) for connection in connections]
        wait_until(lambda: sum(future.done() for future in futures) >= STALLED - 1)
        grown = small.memory_mb() - before
        for connection in connections:
            with contextlib.suppress(OSError):  # closed by the service
                connection.shutdown(socket.SHUT_RDWR)
        responses = [future.result() for future in futures]
    refused = [response for response in responses if response.startswith(b"HTTP/1.1 503 ")]
    assert len(refused) >= STALLED - 1
    assert all(b"retry-after: 5" in response.lower() for response in refused)
    assert grown < 100, f"{STALLED} uploads have {STALLED * 18} MB"

    def is_free() -> bool:
        big = httpx.post(f"{small.address}/predict", files={"image": bytes(19 * MB)}, timeout=60)
        return big.json()["error"]["code"] == "bad_image"

    wait_until(is_free)
    photo = {"image": astronaut_jpg.read_bytes()}
    assert httpx.post(f"{small.address}/predict", files=photo, timeout=60).status_code == 200


@pytest.mark.parametrize("origin", [b"", b"Origin: http://elsewhere.test\r\n"])
def test_parts_of_frames_take_no_more_memory_than_allowed(
    origin: bytes, small: Service, astronaut_jpg: Path
) -> None:
    before = small.memory_mb()
    with contextlib.ExitStack() as stack:
        for _ in range(STALLED):
            connection = stack.enter_context(connect_to(small))
            connection.sendall(UPGRADE + origin + b"\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 101 ")
            with contextlib.suppress(OSError):  # closed by the service
                connection.sendall(FRAME + bytes(18 * MB))
        grown = small.memory_mb() - before
    assert grown < 100, f"{STALLED} frames have {STALLED * 18} MB"
    photo = astronaut_jpg.read_bytes()

    def is_served() -> bool:
        with connect(small.socket_address) as client:
            client.send(photo)
            return "result" in json.loads(client.recv(60))

    wait_until(is_served)


def test_a_message_of_too_many_fragments_is_refused(small: Service) -> None:
    with connect(small.socket_address) as client:
        client.send(b"x" for _ in range(900))
        assert json.loads(client.recv(60))["error"]["code"] == "bad_image"
        with contextlib.suppress(ConnectionClosed):  # while it is sending
            client.send(b"x" for _ in range(20_000))
        with pytest.raises(ConnectionClosedError) as caught:
            client.recv(60)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009
