"""The WebSocket broadcast, with real clients."""

import json
import socket
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from frames import frame
from threads import wait_until
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from utils.emotions import EMOTIONS
from utils.errors import OutputError
from utils.media.live_outputs import broadcast
from utils.media.live_outputs.broadcast import Broadcast
from utils.media.live_outputs.messages import (
    EventKind,
    StreamDescription,
    StreamEvent,
    StreamMessage,
)
from utils.media.live_outputs.outputs import LiveOutputs
from utils.results import to_document

STREAM = StreamDescription(model="m", classes=EMOTIONS, threshold=0.5)
PATIENCE = 20.0


@pytest.fixture
def output() -> Iterator[Broadcast]:
    server = Broadcast(0)
    yield server
    server.close()


def joined(output: Broadcast, count: int = 1, **options: Any) -> ClientConnection:
    """Return a client that the server knows of."""
    client = connect(f"ws://127.0.0.1:{output.port}", **options)
    wait_until(lambda: len(output._clients) == count)
    return client


def receive(client: ClientConnection) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(client.recv(PATIENCE))
    return document


def test_every_client_receives_every_result(output: Broadcast) -> None:
    live = LiveOutputs([output], STREAM, report=pytest.fail)
    with joined(output) as first, joined(output, 2) as second:
        live.write(frame(0.0))
        for client in (first, second):
            assert receive(client)["event"]["kind"] == "start"
            assert receive(client)["event"]["kind"] == "face_appears"
            assert receive(client) == {
                "frame": 1,
                "dropped": 0,
                "result": to_document(frame(0.0)),
            }


def test_a_client_that_comes_later_is_told_what_the_results_mean(output: Broadcast) -> None:
    live = LiveOutputs([output], STREAM, report=pytest.fail)
    live.write(frame(0.0))
    with joined(output) as client:
        live.write(frame(0.1))
        assert receive(client)["event"]["stream"]["classes"] == list(EMOTIONS)
        assert receive(client)["frame"] == 2


def test_the_end_is_sent_before_the_connection_closes() -> None:
    output = Broadcast(0)
    live = LiveOutputs([output], STREAM, report=pytest.fail)
    live.write(frame(0.0, faces=0))
    with joined(output) as client:
        live.close()
        assert receive(client)["event"]["kind"] == "start"
        assert receive(client)["event"]["kind"] == "stop"
        with pytest.raises(ConnectionClosedOK):
            client.recv(PATIENCE)


def test_a_client_that_does_not_read_misses_messages_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broadcast, "CLOSE_SECONDS", 0.5)
    monkeypatch.setattr(broadcast, "MAX_WAITING", 10)
    output = Broadcast(0)
    event = StreamEvent(kind=EventKind.MARKER, time=0.0, at=datetime.now(timezone.utc))
    large = event.model_copy(update={"label": "x" * 1_000_000})
    with joined(output, max_queue=1, max_size=2_000_000) as client:
        (queue,) = output._clients
        for number in range(1, 101):
            output.send(StreamMessage(frame=number, event=large), 0.0)
        wait_until(lambda: queue._dropped > 0)
        assert len(queue._waiting) <= 10
        frame_number, dropped = 0, 0
        while not dropped:
            document = receive(client)
            assert document["frame"] > frame_number
            frame_number, dropped = document["frame"], document["dropped"]
    output.close()


def test_a_client_that_left_is_forgotten(output: Broadcast) -> None:
    joined(output).close()
    output.send(StreamMessage(frame=1, result=frame(0.0)), 0.0)
    wait_until(lambda: not output._clients)


@pytest.mark.parametrize("origin", ["http://localhost:8501", "http://127.0.0.1", "https://[::1]:1"])
def test_a_page_of_this_computer_may_connect(output: Broadcast, origin: str) -> None:
    joined(output, origin=origin).close()


@pytest.mark.parametrize("origin", ["https://example.org", "http://localhost.example.org", "null"])
def test_a_page_of_the_web_may_not_connect(output: Broadcast, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{output.port}", origin=origin)  # type: ignore[arg-type]


def test_a_port_in_use_is_reported() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OutputError, match=r"can't listen on port \d+ \(.*\); choose another one"),
    ):
        Broadcast(taken.getsockname()[1])
