"""Limits, keys, overload and clients that misbehave, against the real server on loopback."""

import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from corpus import _png_header
from PIL import Image
from service_process import ROOT, Service, ServiceStarter

from utils.media.video_writer import VideoWriter

pytestmark = pytest.mark.slow
KEY = "a secret"


@pytest.fixture(scope="module")
def strict(start_service: ServiceStarter) -> Service:
    """A service with a key and small limits."""
    return start_service(
        EMOTION_API_KEY=KEY,
        EMOTION_API_MAX_BODY_MB="0.2",
        EMOTION_API_MAX_MEGAPIXELS="1",
        EMOTION_API_MAX_VIDEO_SECONDS="1",
        EMOTION_API_UPLOAD_SECONDS="2",
        EMOTION_API_CORS_ORIGINS='["https://example.org"]',
    )


@pytest.fixture
def client(strict: Service) -> httpx.Client:
    return httpx.Client(base_url=strict.address, headers={"X-API-Key": KEY}, timeout=60)


def picture(width: int, height: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), "grey").save(file, "png")
    return file.getvalue()


def test_the_key_is_needed(strict: Service) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}):
        for path in ("/model_info", "/metrics"):
            answer = httpx.get(strict.address + path, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "key_required"
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        assert httpx.get(f"{strict.address}/model_info", headers=headers).status_code == 200
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz"):
        assert httpx.get(strict.address + path).status_code == 200
    assert KEY not in strict.log.read_text()


def test_what_is_too_large_is_refused(client: httpx.Client, tmp_path: Path) -> None:
    bomb = _png_header(30_000, 30_000)
    for body in (bytes(300_000), picture(1100, 1000), bomb):
        answer = client.post("/predict", files={"image": body})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(httpx.Client, "__del__", raising=False)
        answer = client.post(
            "/predict", content=iter([bytes(100_000)] * 3), headers={"Content-Type": "image/png"}
        )
    assert answer.status_code == 413, "a body that does not say how long it is"
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, 10) as video:
        for i in range(40):
            video.write(np.zeros((64, 64, 3), np.uint8), i / 10)
    answer = client.post("/predict_video", files={"video": clip.read_bytes()})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_other_pages_may_call_if_allowed(client: httpx.Client) -> None:
    for origin, allowed in (("https://example.org", True), ("https://elsewhere.org", False)):
        answer = client.get("/model_info", headers={"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) == allowed


def connect(service: Service) -> socket.socket:
    host, port = service.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


HEAD = (
    f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: image/png\r\n"
    "Content-Length: 100000\r\n\r\n"
)


def test_a_slow_client_is_not_waited_for(strict: Service) -> None:
    with connect(strict) as line:
        line.sendall(HEAD.encode() + bytes(1000))
        answer = b""
        while not answer.endswith(b"}") and (part := line.recv(4000)):  # head and body may be two
            answer += part
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"slow_upload" in answer


def test_a_client_that_vanishes_harms_nobody(strict: Service, client: httpx.Client) -> None:
    for _ in range(20):
        with connect(strict) as line:
            line.sendall(HEAD.encode() + bytes(1000))
    answer = client.post("/predict", files={"image": picture(64, 64)})
    assert answer.status_code == 200
    assert "Traceback" not in strict.log.read_text()


def test_a_client_that_asks_too_often_has_to_wait(start_service: ServiceStarter) -> None:
    service = start_service(EMOTION_API_RATE="1")
    answers = [httpx.get(f"{service.address}/model_info") for _ in range(6)]
    assert [a.status_code for a in answers[:2]] == [200, 200]
    refused = answers[-1]
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) >= 1
    assert httpx.get(f"{service.address}/healthz").status_code == 200


def test_overload_is_refused_at_once_and_passes(
    start_service: ServiceStarter, astronaut: np.ndarray
) -> None:
    service = start_service(
        EMOTION_API_MAX_QUEUE="4", EMOTION_API_DEADLINE_SECONDS="1", EMOTION_API_WORKERS="1"
    )
    file = BytesIO()
    Image.fromarray(np.tile(astronaut, (2, 2, 1))).save(file, "jpeg")
    photo, barrier = file.getvalue(), threading.Barrier(60)

    def ask(_: int) -> httpx.Response:
        barrier.wait()
        return httpx.post(f"{service.address}/predict", files={"image": photo}, timeout=120)

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(ask, range(60)))
    statuses = [a.status_code for a in answers]
    assert set(statuses) == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "overloaded"
            assert int(answer.headers["Retry-After"]) >= 1
    alone = httpx.post(f"{service.address}/predict", files={"image": photo}, timeout=60)
    assert alone.status_code == 200
    assert "Traceback" not in service.log.read_text()


def test_memory_stays_flat(service: Service) -> None:
    crop = picture(48, 48)
    with httpx.Client(base_url=service.address, timeout=60) as client:

        def ask(count: int) -> None:
            for _ in range(count):
                client.post("/predict?detector=none", files={"image": crop})

        ask(500)
        before = service.memory_mb()
        ask(1500)
        assert service.memory_mb() - before < 10


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("EMOTION_API_MAX_BATCH", "0", "EMOTION_API_MAX_BATCH"),
        ("EMOTION_API_CORS_ORIGINS", "example.org", "JSON"),
        ("EMOTION_DETECTOR", "eyes", "eyes"),
        ("EMOTION_MODEL", "/nowhere.pth", "no such model file"),
    ],
)
def test_impossible_settings_are_named(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "backend/api.py", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {variable: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
