"""Limits, keys, overload and misbehaving clients, tested against the real server on loopback."""

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from corpus import png_header
from PIL import Image
from service_process import Service, ServiceStarter, connect_to

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
        EMOTION_API_MAX_VIDEO_FRAMES="20",
        EMOTION_API_VIDEO_ANALYSIS_SECONDS="0.001",
        EMOTION_API_UPLOAD_SECONDS="2",
        EMOTION_API_CORS_ORIGINS='["https://example.org"]',
    )


@pytest.fixture
def client(strict: Service) -> httpx.Client:
    return httpx.Client(base_url=strict.address, headers={"X-API-Key": KEY}, timeout=60)


def png(width: int, height: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), "grey").save(file, "png")
    return file.getvalue()


def test_the_key_is_required(strict: Service) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}):
        for path in ("/model_info", "/metrics"):
            response = httpx.get(strict.address + path, headers=headers)
            assert response.status_code == 401
            assert response.json()["error"]["code"] == "key_required"
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        assert httpx.get(f"{strict.address}/model_info", headers=headers).status_code == 200
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz"):
        assert httpx.get(strict.address + path).status_code == 200
    assert KEY not in strict.log.read_text()


def test_bodies_that_are_too_large_are_refused(client: httpx.Client) -> None:
    bomb = png_header(30_000, 30_000)
    for body in (bytes(300_000), png(1100, 1000), bomb):
        response = client.post("/predict", files={"image": body})
        assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(httpx.Client, "__del__", raising=False)
        response = client.post(
            "/predict", content=iter([bytes(100_000)] * 3), headers={"Content-Type": "image/png"}
        )
    assert response.status_code == 413, "a body without a declared length"


@pytest.mark.parametrize(
    ("frames", "fps", "words"),
    [
        (40, 10, "lasts 4 seconds; the limit is 1"),
        (45, 60, "has some 45 frames; the limit is 20"),
        (9, 10, "takes more than 0.001 seconds to analyse"),
    ],
)
def test_clips_that_would_keep_others_waiting_are_refused(
    client: httpx.Client, tmp_path: Path, frames: int, fps: int, words: str
) -> None:
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, fps) as video:
        for i in range(frames):
            video.write(np.zeros((64, 64, 3), np.uint8), i / fps)
    response = client.post("/predict_video", files={"video": clip.read_bytes()})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert words in response.json()["error"]["message"]


def test_cross_origin_requests_need_permission(client: httpx.Client) -> None:
    for origin, allowed in (("https://example.org", True), ("https://elsewhere.org", False)):
        response = client.get("/model_info", headers={"Origin": origin})
        assert (response.headers.get("access-control-allow-origin") == origin) == allowed


HEAD = (
    f"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\nContent-Type: image/png\r\n"
    "Content-Length: 100000\r\n\r\n"
)


def test_a_slow_upload_times_out(strict: Service) -> None:
    with connect_to(strict) as connection:
        connection.sendall(HEAD.encode() + bytes(1000))
        response = b""
        while not response.endswith(b"}") and (
            part := connection.recv(4000)
        ):  # head and body may be two
            response += part
    assert b" 408 " in response.split(b"\r\n")[0]
    assert b"slow_upload" in response


def test_a_client_that_disconnects_harms_nobody(strict: Service, client: httpx.Client) -> None:
    for _ in range(20):
        with connect_to(strict) as connection:
            connection.sendall(HEAD.encode() + bytes(1000))
    response = client.post("/predict", files={"image": png(64, 64)})
    assert response.status_code == 200
    assert "Traceback" not in strict.log.read_text()


def test_the_request_rate_is_limited(start_service: ServiceStarter) -> None:
    service = start_service(EMOTION_API_RATE="1")
    responses = [httpx.get(f"{service.address}/model_info") for _ in range(6)]
    assert [a.status_code for a in responses[:2]] == [200, 200]
    refused = responses[-1]
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) >= 1
    assert httpx.get(f"{service.address}/healthz").status_code == 200


def test_requests_are_refused_when_the_queue_is_full(
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
        responses = list(pool.map(ask, range(60)))
    statuses = [a.status_code for a in responses]
    assert set(statuses) == {200, 503}
    for response in responses:
        if response.status_code == 503:
            assert response.json()["error"]["code"] == "overloaded"
            assert int(response.headers["Retry-After"]) >= 1
    alone = httpx.post(f"{service.address}/predict", files={"image": photo}, timeout=60)
    assert alone.status_code == 200
    assert "Traceback" not in service.log.read_text()


def test_memory_stays_flat(service: Service) -> None:
    crop = png(48, 48)
    with httpx.Client(base_url=service.address, timeout=60) as client:

        def ask(count: int) -> None:
            for _ in range(count):
                client.post("/predict?detector=none", files={"image": crop})

        ask(500)
        before = service.memory_mb()
        ask(1500)
        assert service.memory_mb() - before < 10
