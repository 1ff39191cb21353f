"""Live frames over the WebSocket, against the real server on loopback."""

import json
import time
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from service_process import Service, ServiceStarter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

pytestmark = pytest.mark.slow


def frame(image: np.ndarray, kind: str = "jpeg") -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def ask(connection: ClientConnection, message: bytes | str) -> dict:
    connection.send(message)
    return json.loads(connection.recv(timeout=60))


def test_frames_are_followed(service: Service, astronaut: np.ndarray) -> None:
    with connect(service.socket_address) as connection:
        messages = []
        for i in range(12):
            kind = "jpeg" if i % 2 else "webp"
            messages.append(ask(connection, frame(np.roll(astronaut, 3 * i, axis=1), kind)))
    assert [m["frame"] for m in messages] == list(range(1, 13))
    assert all(m["dropped"] == 0 for m in messages)
    results = [m["result"] for m in messages]
    assert {r["faces"][0]["track_id"] for r in results} == {1}
    assert {r["faces"][0]["emotion"] for r in results} == {"happy"}
    assert results[-1]["faces"][0]["box"][0] > results[0]["faces"][0]["box"][0] + 15
    assert [r["time"] for r in results] == sorted(r["time"] for r in results)
    assert results[0]["faces"][0]["raw"]


def test_a_fast_client_loses_frames_but_no_time(service: Service, astronaut: np.ndarray) -> None:
    photo = frame(np.tile(astronaut, (2, 2, 1)))
    with connect(service.socket_address) as connection:
        for _ in range(200):
            connection.send(photo)
        messages = []
        while not messages or messages[-1]["frame"] < 200:
            messages.append(json.loads(connection.recv(timeout=60)))
    numbers = [m["frame"] for m in messages]
    assert numbers == sorted(numbers)
    assert messages[-1]["dropped"] == 200 - len(messages)
    assert len(messages) < 150


def test_errors_are_reported_and_the_connection_stays(
    service: Service, astronaut: np.ndarray
) -> None:
    with connect(service.socket_address + "?top=1&detector=haar") as connection:
        assert ask(connection, "hello")["error"]["code"] == "bad_parameter"
        assert ask(connection, b"no image")["error"]["code"] == "bad_image"
        black = ask(connection, frame(np.zeros((240, 320, 3), np.uint8)))
        assert black["result"]["status"] == "camera_off"
        faces = ask(connection, frame(astronaut))["result"]["faces"]
        assert list(faces[0]["probabilities"]) == ["happy"]


@pytest.mark.parametrize("query", [
    "detector=eyes", "top=0", "top=x", "min_score=y", "min_score=5", "min_score=nan",
    "min_face=-3", "min_face=-inf",
])  # fmt: skip
def test_impossible_parameters_are_refused(service: Service, query: str) -> None:
    with connect(f"{service.socket_address}?{query}") as connection:
        error = json.loads(connection.recv(timeout=30))["error"]
        assert (error["code"], error["field"]) == ("bad_parameter", query.partition("=")[0])
        assert error["message"].startswith(f"{error['field']}: ")
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=30)
    assert closed.value.rcvd.code == 1008


def test_a_client_that_vanishes_frees_its_stream(
    start_service: ServiceStarter, astronaut_jpg: Path
) -> None:
    service = start_service(EMOTION_API_MAX_SOCKETS="1", EMOTION_API_KEY="k")
    address, protocols = service.socket_address, ["emotion", "key.k"]
    with connect(address) as connection:
        assert json.loads(connection.recv(timeout=30))["error"]["code"] == "key_required"
    for _ in range(5):
        first = connect(address, subprotocols=protocols)  # type: ignore[arg-type]
        assert first.subprotocol == "emotion"
        first.send(astronaut_jpg.read_bytes())
        first.socket.close()  # without a close frame, as when a laptop is shut
        deadline = time.monotonic() + 20
        while "emotion_sockets 0.0" not in metrics(service):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with connect(address, subprotocols=protocols) as one:  # type: ignore[arg-type]
        assert ask(one, astronaut_jpg.read_bytes())["result"]["faces"]
        with connect(address, subprotocols=protocols) as two:  # type: ignore[arg-type]
            assert json.loads(two.recv(timeout=30))["error"]["code"] == "overloaded"
    assert "Traceback" not in service.log.read_text()


def metrics(service: Service) -> str:
    return httpx.get(f"{service.address}/metrics", headers={"X-API-Key": "k"}).text
