"""The endpoints of the service, tested against the real server on loopback."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from corpus import make_bad, make_good
from PIL import Image
from programs import infer
from service_process import Service
from threads import wait_until

from utils.emotions import EMOTIONS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(service: Service) -> httpx.Client:
    return httpx.Client(base_url=service.address, timeout=60)


def test_an_image_gives_the_result_of_the_terminal(
    client: httpx.Client, astronaut_jpg: Path
) -> None:
    photo = astronaut_jpg.read_bytes()
    expected = json.loads(infer(astronaut_jpg, "--json", "--threads", 1).stdout)
    form = client.post("/predict", files={"image": (str(astronaut_jpg), photo, "image/jpeg")})
    raw = client.post("/predict", content=photo, headers={"Content-Type": "image/jpeg"})
    assert form.status_code == raw.status_code == 200, form.text + raw.text
    assert form.json() == expected
    assert raw.json()["faces"] == expected["faces"]
    assert tuple(expected["faces"][0]["probabilities"]) == EMOTIONS


def test_options_are_applied(client: httpx.Client, astronaut_jpg: Path) -> None:
    photo = {"image": astronaut_jpg.read_bytes()}
    response = client.post("/predict?top=2&detector=haar", files=photo).json()
    assert len(response["faces"][0]["probabilities"]) == 2
    for query in ("min_face=300", "min_score=1"):
        response = client.post(f"/predict?{query}", files=photo).json()
        assert (response["faces"], response["status"]) == ([], "no_face")
    whole = client.post("/predict?detector=none", files=photo).json()["faces"][0]
    assert whole["box"] == [0, 0, 512, 512]


def test_a_batch_has_an_outcome_for_each_of_100_images(
    client: httpx.Client, astronaut_jpg: Path
) -> None:
    photo = astronaut_jpg.read_bytes()
    broken = {7: b"", 50: b"no picture", 99: photo[:4000]}
    files = [("images", (f"{i}.jpg", broken.get(i, photo))) for i in range(100)]
    response = client.post("/predict_batch?detector=haar&top=1", files=files)
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    assert [r["image"] for r in results] == [f"{i}.jpg" for i in range(100)]
    assert {i for i, r in enumerate(results) if "error" in r} == set(broken)
    assert all(r["error"]["code"] == "bad_image" for r in results if "error" in r)
    good = [r["faces"] for r in results if "faces" in r]
    assert all(faces == good[0] for faces in good)
    assert good[0][0]["emotion"] == "happy"
    many = client.post("/predict_batch", files=[*files, ("images", ("x.jpg", photo))])
    assert (many.status_code, many.json()["error"]["code"]) == (413, "too_large")


def test_a_clip_has_a_timeline(client: httpx.Client, clip: Path) -> None:
    response = client.post("/predict_video?every=2", files={"video": clip.read_bytes()})
    assert response.status_code == 200, response.text
    video = response.json()
    assert video["frames"] == len(video["timeline"]) == 10
    assert [f["time"] for f in video["timeline"]] == pytest.approx(np.arange(10) / 5, abs=0.01)
    (person,) = video["people"]
    assert person["shares"]["happy"] > 0.5
    assert sum(person["shares"].values()) + person["uncertain"] == pytest.approx(1)
    assert video["timeline"][-1]["faces"][0]["track_id"] == person["track_id"]
    bad = client.post("/predict_video", files={"video": b"no video"})
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "bad_video")


def test_a_playlist_is_no_video(client: httpx.Client) -> None:
    # It would make the server fetch an address that the client chose.
    playlists = (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/\n", b"ffconcat version 1.0\nfile x\n")
    for playlist in playlists:
        bad = client.post("/predict_video", files={"video": playlist})
        assert (bad.status_code, bad.json()["error"]["code"]) == (400, "bad_video")


def test_every_kind_of_image_gets_a_response(client: httpx.Client, tmp_path: Path) -> None:
    for entry in make_good(tmp_path).values():
        response = client.post("/predict?detector=none", files={"image": entry.path.read_bytes()})
        assert response.status_code == 200, entry.path
        assert len(response.json()["faces"]) == 1
    for entry in make_bad(tmp_path).values():
        if not entry.path.is_file():
            continue
        files = {"image": (entry.path.name, entry.path.read_bytes())}
        response = client.post("/predict?detector=none", files=files)
        assert response.status_code in (400, 413), (entry.path, response.text)
        assert entry.path.name in response.json()["error"]["message"]


def test_mutated_images_crash_nothing(
    client: httpx.Client, astronaut: np.ndarray, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    paths = []
    for kind in ("jpeg", "png", "webp", "gif", "bmp", "tiff"):
        path = tmp_path / f"whole.{kind}"
        Image.fromarray(astronaut[:96, 200:296]).save(path)
        data = np.frombuffer(path.read_bytes(), np.uint8)
        for i in range(25):
            broken = data.copy()
            places = random.integers(0, [min(64, len(data))] * 4 + [len(data)] * 4)
            broken[places] = random.integers(0, 256, 8)
            paths.append(tmp_path / f"{i}.{kind}")
            paths[-1].write_bytes(broken[: len(data) // (1 + i % 3)].tobytes())
    paths.append(tmp_path / "polyglot.jpg")
    paths[-1].write_bytes((tmp_path / "whole.jpeg").read_bytes() + b"%PDF-1.4 PK\x03\x04 <script>")
    for path in paths:
        response = client.post(
            "/predict?detector=none", files={"image": (path.name, path.read_bytes())}
        )
        assert response.status_code in (200, 400, 413), (path, response.text)
    done = infer(tmp_path, "--detector", "none", "--format", "jsonl")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == len(paths) + 6


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [
        ("POST", "/predict", {"files": {"image": b"text"}}, 400, "bad_image"),
        ("POST", "/predict", {"content": b""}, 415, "unsupported_type"),
        ("POST", "/predict", {"data": {"image": "x"}}, 415, "unsupported_type"),
        ("POST", "/predict", {"json": {"image": "x"}}, 415, "unsupported_type"),
        ("POST", "/predict?top=0", {"files": {"image": b"x"}}, 422, "bad_parameter"),
        ("POST", "/predict?detector=eyes", {"files": {"image": b"x"}}, 422, "bad_parameter"),
        ("POST", "/predict?min_score=2", {"files": {"image": b"x"}}, 422, "bad_parameter"),
        ("POST", "/predict?min_score=nan", {"files": {"image": b"x"}}, 422, "bad_parameter"),
        ("POST", "/predict?min_face=-inf", {"files": {"image": b"x"}}, 422, "bad_parameter"),
        ("POST", "/predict_batch", {"content": b"x"}, 415, "unsupported_type"),
        ("POST", "/predict_video?every=0", {"files": {"video": b"x"}}, 422, "bad_parameter"),
        ("GET", "/predict", {}, 405, "method_not_allowed"),
        ("GET", "/nothing", {}, 404, "not_found"),
    ],
)
def test_errors_have_one_form(
    client: httpx.Client, method: str, path: str, request_: dict, status: int, code: str
) -> None:
    response = client.request(method, path, **request_)
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    assert response.json()["error"]["code"] == code
    assert len(response.json()["error"]["message"].split()) > 1


def form(name: bytes, charset: str, data: bytes) -> dict:
    """Return a form with one file, whose name is written in a charset of its own."""
    disposition = b'Content-Disposition: form-data; name="images"; filename="%s"' % name
    return {
        "content": b"--x\r\n%s\r\n\r\n%s\r\n--x--\r\n" % (disposition, data),
        "headers": {"Content-Type": f"multipart/form-data; boundary=x{charset}"},
    }


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "utf-7", "utf-16", "punycode", "undefined", "base64", "nope"]
)
def test_names_in_a_charset_that_is_no_text_are_client_errors(
    client: httpx.Client, charset: str
) -> None:
    for path in ("/predict", "/predict_batch"):
        response = client.post(path, **form(rb"\ud800.jpg", f"; charset={charset}", b"x"))
        assert response.status_code == 422, response.text
        assert "charset" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (rb"\ud800.jpg", r"\ud800.jpg"),
        ("größe.jpg".encode(), "größe.jpg"),
        (b"\xed\xa0\x80.jpg", "í\xa0\x80.jpg"),  # a lone surrogate
        (b"\xff\x00.jpg", "ÿ\x00.jpg"),
    ],
)
def test_names_of_any_bytes_leave_a_batch_whole(
    client: httpx.Client, name: bytes, shown: str
) -> None:
    response = client.post("/predict_batch", **form(name, "", b"no image"))
    assert response.status_code == 200, response.text
    (result,) = response.json()["results"]
    assert (result["image"], result["error"]["code"]) == (shown, "bad_image")


def test_messages_name_the_field_and_the_limit(client: httpx.Client) -> None:
    for path, field in (("/predict", "image"), ("/predict_batch", "images")):
        error = client.post(path, files={"x": (None, "no file")}).json()["error"]
        assert (error["field"], f"in the field '{field}'" in error["message"]) == (field, True)
    files = [("image", ("a.jpg", b"x")), ("image", ("b.jpg", b"x"))]
    error = client.post("/predict", files=files).json()["error"]
    assert error == {"code": "too_large", "message": "The form has more than one file."}


def test_malformed_forms_are_client_errors(client: httpx.Client) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x; charset=nope"):
        response = client.post(
            "/predict", content=b"--x\r\nzz", headers={"Content-Type": content_type}
        )
        assert response.status_code == 422, response.text
        assert response.json()["error"]["code"] == "bad_parameter"


def test_64_clients_at_once_all_get_a_response(service: Service, astronaut_jpg: Path) -> None:
    photo, barrier = astronaut_jpg.read_bytes(), threading.Barrier(64)

    def post(_: int) -> dict:
        barrier.wait()
        response = httpx.post(f"{service.address}/predict", files={"image": photo}, timeout=60)
        return response.json() if response.status_code == 200 else {"status": response.status_code}

    with ThreadPoolExecutor(64) as pool:
        responses = list(pool.map(post, range(64)))
    # Requests queued beyond the deadline on a slow machine are refused instead of left hanging.
    assert {a.get("status") for a in responses} <= {"ok", 503}
    right = [a["faces"] for a in responses if a["status"] == "ok"]
    assert len(right) >= 16
    assert all(faces == right[0] for faces in right)


def test_the_service_describes_itself(client: httpx.Client, service: Service) -> None:
    assert client.get("/healthz").json() == client.get("/readyz").json() == {"status": "ok"}
    info = client.get("/model_info").json()
    assert tuple(info["classes"]) == tuple(info["colors"]) == EMOTIONS
    assert info["heads"][0]["name"] == "perceived"
    assert 0.5 < info["metrics"]["test"]["perceived"]["ferplus"]["accuracy"] < 1
    assert info["limits"]["max_batch"] == 100
    assert "key" not in info["limits"]
    assert "apparent expression" in info["notice"]
    for article in ("Article 50(3)", "Article 5(1)(f)", "Annex III, point 1(c)"):
        assert article in info["notice"]


def test_metrics_count(client: httpx.Client, astronaut_jpg: Path) -> None:
    def value(name: str) -> float:
        lines = client.get("/metrics").text.splitlines()
        return next((float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith(name)), 0.0)

    names = (
        'emotion_requests_total{path="/predict",status="200"}',
        'emotion_faces_total{emotion="happy"}',
    )
    before = [value(name) for name in names]
    client.post("/predict", files={"image": astronaut_jpg.read_bytes()})
    # Requests are counted after their response.
    wait_until(lambda: [value(name) for name in names] == [count + 1 for count in before])
    client.get("/some/unknown/path")
    assert "some/unknown" not in client.get("/metrics").text


def test_nothing_of_an_image_is_logged(service: Service, client: httpx.Client) -> None:
    client.post("/predict", files={"image": ("secret-name.jpg", b"secret-bytes")})
    assert "secret" not in service.log.read_text()
