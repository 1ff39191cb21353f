"""The webhook, against a real HTTP server."""

import socket
from collections.abc import Iterator

import pytest
from frames import frame
from receivers import HttpServer, http_server
from threads import wait_until

from utils.errors import ConfigError
from utils.media.live_outputs import webhook
from utils.media.live_outputs.messages import StreamMessage
from utils.media.live_outputs.webhook import Webhook


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as running:
        yield running


@pytest.fixture
def problems() -> list[str]:
    return []


def message(number: int) -> StreamMessage:
    return StreamMessage(frame=number, result=frame(number / 10))


def numbers(server: HttpServer) -> list[int]:
    return [document["frame"] for document in server.messages]


def test_results_arrive_in_order_as_json(server: HttpServer, problems: list[str]) -> None:
    output = Webhook(server.url, report=problems.append)
    for number in range(1, 251):
        output.send(message(number), 0.0)
    output.close()
    assert numbers(server) == list(range(1, 251))
    assert max(len(body["messages"]) for body in server.bodies) <= webhook.MAX_BATCH
    assert server.messages[0] == {
        "frame": 1,
        "dropped": 0,
        "result": frame(0.1).model_dump(mode="json", exclude_none=True),
    }
    assert server.headers[0]["Content-Type"] == "application/json"
    assert not problems


def test_an_interval_collects_results(server: HttpServer, problems: list[str]) -> None:
    output = Webhook(server.url, interval=600.0, report=problems.append)
    output.send(message(1), 0.0)
    wait_until(lambda: numbers(server) == [1])
    output.send(message(2), 0.0)
    output.send(message(3), 0.0)
    output.close()
    assert [len(body["messages"]) for body in server.bodies] == [1, 2]


def test_a_server_that_is_away_for_a_while_loses_nothing(
    server: HttpServer, problems: list[str]
) -> None:
    server.answers = [503, 500]
    output = Webhook(server.url, report=problems.append)
    output.send(message(1), 0.0)
    output.send(message(2), 0.0)
    wait_until(lambda: numbers(server) == [1, 2])
    output.close()
    address = server.url.removesuffix("/results")
    assert problems == [
        f"webhook {address}: results can't be delivered (it answered 503 Service Unavailable); "
        "sending is retried, and the analysis goes on"
    ]


@pytest.mark.parametrize(("status", "reason"), [(404, "404 Not Found"), (301, "301 Moved")])
def test_what_the_server_refuses_is_not_repeated(
    server: HttpServer, problems: list[str], status: int, reason: str
) -> None:
    server.answers = [status]
    output = Webhook(server.url, report=problems.append)
    output.send(message(1), 0.0)
    wait_until(lambda: bool(problems))
    output.send(message(2), 0.0)
    output.close()
    assert numbers(server) == [2]
    assert reason in problems[0]
    assert "check the address" in problems[0]
    assert problems[1].endswith("1 messages were not delivered")


def test_an_unreachable_server_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, problems: list[str]
) -> None:
    monkeypatch.setattr(webhook, "MAX_WAITING", 5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    output = Webhook(f"http://127.0.0.1:{port}/secret?key=1", report=problems.append)
    for number in range(20):
        output.send(message(number), 0.0)
    wait_until(lambda: bool(problems))
    output.close()
    assert len(problems) == 2
    assert problems[0].startswith(f"webhook http://127.0.0.1:{port}: results can't be delivered (")
    assert problems[1] == f"webhook http://127.0.0.1:{port}: 20 messages were not delivered"


def test_a_server_that_does_not_answer_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, problems: list[str]
) -> None:
    monkeypatch.setattr(webhook, "CLOSE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        output = Webhook(url, report=problems.append)
        output.send(message(1), 0.0)
        output.close()
    output._thread.join(10)  # The closed server fails the POST that was under way.
    assert problems == [f"webhook {url}: 1 messages were not delivered"]


def test_dropped_messages_are_counted(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch, problems: list[str]
) -> None:
    monkeypatch.setattr(webhook, "MAX_WAITING", 2)
    output = Webhook(server.url, interval=600.0, report=problems.append)
    output.send(message(0), 0.0)
    wait_until(lambda: numbers(server) == [0])
    for number in range(1, 6):
        output.send(message(number), 0.0)
    output.close()
    assert [(m["frame"], m["dropped"]) for m in server.messages[1:]] == [(4, 3), (5, 3)]
    assert problems[0].endswith("3 messages were not delivered")


def test_user_and_password_become_a_header(server: HttpServer, problems: list[str]) -> None:
    url = server.url.replace("http://", "http://me:pass%40word@")
    output = Webhook(url, report=problems.append)
    output.send(message(1), 0.0)
    output.close()
    assert server.headers[0]["Authorization"] == "Basic bWU6cGFzc0B3b3Jk"


@pytest.mark.parametrize(
    "url",
    ["", "results", "ftp://localhost/", "http://", "http://localhost:x/", "http://local host/",
     "http://localhost:99999/", "http://[::1/", "http://localhost/ä", "http://localhost/\n"],
)  # fmt: skip
def test_an_impossible_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address that results can be sent to"):
        Webhook(url, report=pytest.fail)
