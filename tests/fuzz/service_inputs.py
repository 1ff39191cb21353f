"""Requests, WebSocket sessions and bytes of connections for the service."""

import base64
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from fuzz import media_files, structured
from fuzz.mutation import mutate, mutations

_PATHS = (
    "/predict", "/predict", "/predict", "/predict_batch", "/predict_batch", "/predict_video",
    "/model_info", "/healthz", "/readyz", "/metrics", "/openapi.json", "/", "/docs", "/ws",
)  # fmt: skip
_KEYS = ("detector", "top", "min_face", "min_score", "every")
_CONTENT_TYPES = (
    "image/jpeg", "image/png", "video/mp4", "application/octet-stream", "application/json",
    "text/plain", "", "multipart/form-data", "multipart/form-data; boundary=", "image/",
    "multipart/form-data; boundary=b; charset=x",
)  # fmt: skip
_HEADERS = (
    "x-api-key", "authorization", "origin", "content-length", "transfer-encoding", "expect",
    "accept-encoding", "x-forwarded-for", "access-control-request-method", "cookie", "range",
)  # fmt: skip
_BOUNDARY = "b"


def make_requests(seed: str, count: int) -> Iterator[bytes]:
    """Yield requests as JSON documents; ``body`` is in Base64."""
    for request in structured.examples(_requests(), seed, count):
        yield json.dumps(request).encode()


def _bodies() -> SearchStrategy[bytes]:
    """Return pictures and clips, most of them damaged, and other bytes."""
    photos, clips = media_files.pictures(), media_files.videos()
    files = st.one_of(st.sampled_from(photos), st.sampled_from(photos), st.sampled_from(clips))
    damaged = st.builds(lambda data, seed: mutate(data, Random(seed)), files, st.integers(0, 9999))
    others = st.one_of(st.binary(max_size=50), st.just(bytes(300_000)))
    return st.one_of(files, damaged, others)


@st.composite
def _forms(draw: st.DrawFn) -> bytes:
    parts = b""
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.one_of(st.sampled_from(["image", "images", "video"]), structured.TEXTS))
        file = draw(st.sampled_from(['; filename="a.jpg"', '; filename=""', "", "; filename*=x"]))
        head = f'Content-Disposition: form-data; name="{name}"{file}'.encode("utf-8", "replace")
        parts += b"--b\r\n" + head + b"\r\n\r\n" + draw(_bodies()) + b"\r\n"
    form = parts + b"--b--\r\n"
    damaged = draw(st.integers(0, 3)) == 0
    return mutate(form, Random(draw(st.integers(0, 9999)))) if damaged else form


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    plain = draw(st.booleans())
    types = st.one_of(st.just("application/octet-stream"), st.sampled_from(_CONTENT_TYPES))
    kind = draw(types) if plain else f"multipart/form-data; boundary={_BOUNDARY}"
    body = draw(_bodies() if plain else _forms())
    extra = st.tuples(st.sampled_from(_HEADERS), st.text("abc,;=*/ 0159\u00e9", max_size=12))
    methods = st.sampled_from(["POST"] * 8 + ["GET", "PUT", "HEAD", "OPTIONS", "DELETE", "X"])
    return {
        "method": draw(methods),
        "path": draw(st.one_of(st.sampled_from(_PATHS), st.text(max_size=10).map("/{}".format))),
        "query": draw(st.one_of(st.just([]), _queries())),
        "headers": [("content-type", kind), *draw(st.lists(extra, max_size=2))],
        "body": base64.b64encode(body).decode(),
    }


def _queries() -> SearchStrategy[list[tuple[str, str]]]:
    keys = st.one_of(st.sampled_from(_KEYS), st.sampled_from(_KEYS), structured.TEXTS)
    detectors = st.sampled_from(["none", "none", "haar", "mtcnn", "ssd"])
    values = st.one_of(detectors, st.integers(-1, 3).map(str), structured.SCALARS.map(str))
    pairs = st.lists(st.tuples(keys, values), max_size=3)
    return pairs.map(lambda found: [(_text(key), _text(value)) for key, value in found])


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def make_sockets(seed: str, count: int) -> Iterator[bytes]:
    """Yield sessions as JSON documents: query, subprotocols and messages."""
    binary = _bodies().map(lambda data: ("bytes", base64.b64encode(data).decode()))
    text = structured.TEXTS.map(lambda value: ("text", _text(value)))
    messages = st.lists(st.one_of(binary, binary, binary, text), max_size=4)
    protocols = st.lists(st.sampled_from(["emotion", "key.k", "x"]), max_size=2, unique=True)
    session = st.fixed_dictionaries(
        {"query": _queries(), "protocols": protocols, "messages": messages}
    )
    for example in structured.examples(session, seed, count):
        yield json.dumps(example).encode()


def make_loopback(seed: str, count: int) -> Iterator[bytes]:
    """Yield what a client sends over a connection, most of it damaged."""
    photo = media_files.pictures()[0]
    head = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(photo)
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(photo), photo)
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    frame = b"\x82\xfe%b\0\0\0\0%b\x88\x80\0\0\0\0" % (len(photo).to_bytes(2, "big"), photo)
    files = (
        b"POST /predict?detector=none" + head + b"Content-Type: image/jpeg\r\n" + length + photo,
        b"POST /predict?detector=none" + head + b"Content-Type: image/jpeg\r\n" + chunked,
        b"GET /ws?detector=none HTTP/1.1\r\nHost: localhost\r\n" + upgrade + frame,
        b"GET /model_info" + head + b"X-API-Key: k\r\n\r\n",
    )
    return mutations(files, Random(seed), count=count)
