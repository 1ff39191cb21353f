"""Who may use the service: keys, hosts and origins, against the real server on loopback."""

import json

import httpx
import pytest
from service_process import Service, ServiceStarter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.slow
KEY = "a-secret"
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def locked(start_service: ServiceStarter) -> Service:
    """A service with a key that one other web page may call."""
    return start_service(EMOTION_API_KEY=KEY, EMOTION_API_CORS_ORIGINS='["https://example.org"]')


def test_a_foreign_host_name_reads_nothing(service: Service) -> None:
    for path in ("/", "/model_info", "/metrics", "/predict"):
        response = httpx.get(service.address + path, headers={"Host": "evil.example:8000"})
        assert (response.status_code, response.json()["error"]["code"]) == (421, "unknown_host")
        assert "EMOTION_API_ALLOWED_HOSTS" in response.json()["error"]["message"]
    for host in (
        "evil.example\\@localhost",
        "localhost#.evil.example",
        "a@localhost",
        "localhost/",
        "",
    ):
        response = httpx.get(f"{service.address}/metrics", headers={"Host": host})
        assert response.status_code == 421
    for host in ("localhost", "LOCALHOST.", "127.0.0.1:8000", "[::1]:8000", "[::1]"):
        response = httpx.get(f"{service.address}/metrics", headers={"Host": host})
        assert response.status_code == 200


def test_web_pages_of_other_origins_are_refused(service: Service) -> None:
    response = httpx.post(
        f"{service.address}/predict", files={"image": b"x"}, headers={"Origin": EVIL}
    )
    assert (response.status_code, response.json()["error"]["code"]) == (403, "foreign_origin")
    own = httpx.get(f"{service.address}/model_info", headers={"Origin": service.address})
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"Origin": EVIL}, "foreign_origin"), ({"Origin": "null"}, "foreign_origin")],
)
def test_a_foreign_page_gets_no_websocket(
    service: Service, headers: dict[str, str], code: str
) -> None:
    with connect(service.socket_address, additional_headers=headers) as connection:
        assert json.loads(connection.recv(timeout=30))["error"]["code"] == code
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=30)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, code)


def test_the_own_page_and_an_allowed_one_get_a_websocket(locked: Service) -> None:
    for origin in (locked.address, "https://example.org"):
        with connect(
            locked.socket_address,
            additional_headers={"Origin": origin},
            subprotocols=["emotion", f"key.{KEY}"],  # type: ignore[list-item]
        ) as connection:
            connection.send(b"no image")
            assert json.loads(connection.recv(timeout=30))["error"]["code"] == "bad_image"


def test_the_scheme_of_a_bearer_token_has_any_case(locked: Service) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {KEY}"}
        assert httpx.get(f"{locked.address}/model_info", headers=headers).status_code == 200
    for wrong in (f"Basic {KEY}", KEY, "Bearer", f"Bearer x{KEY}"):
        headers = {"Authorization": wrong}
        assert httpx.get(f"{locked.address}/model_info", headers=headers).status_code == 401


def test_keys_cannot_be_guessed_quickly(start_service: ServiceStarter) -> None:
    service = start_service(EMOTION_API_KEY=KEY)
    statuses: list[int] = []
    with httpx.Client(base_url=service.address) as client:
        # A request without a key is no guess: the page sends one to learn whether it needs a key.
        assert {client.get("/model_info").status_code for _ in range(30)} == {401}
        while 429 not in statuses:
            refused = client.get("/model_info", headers={"X-API-Key": str(len(statuses))})
            statuses.append(refused.status_code)
            assert len(statuses) < 100
        right = client.get("/model_info", headers={"X-API-Key": KEY})
    assert set(statuses[:10]) == {401}
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert int(refused.headers["Retry-After"]) >= 1
    assert right.status_code == 429, "a guess that is right is not told apart"
    with connect(service.socket_address, subprotocols=["emotion", f"key.{KEY}"]) as connection:  # type: ignore[list-item]
        assert json.loads(connection.recv(timeout=30))["error"]["code"] == "too_many_requests"
    assert httpx.get(f"{service.address}/healthz").status_code == 200
