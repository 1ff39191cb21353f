"""Parts of the service without a server: arguments, rate limit, queue, OpenAPI names."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import Any, cast

import pytest
from PIL import Image
from starlette.datastructures import Headers

from backend.api import ServeConfig, parse_args
from backend.service.access import RateLimit
from backend.service.app import create_app
from backend.service.errors import OverloadedError, RateLimitError, error_response
from backend.service.hosts import HostCheck
from backend.service.live_socket import message_problem
from backend.service.pipeline import MAX_BATCH, BatchWorker, Pipeline
from backend.service.settings import ServiceSettings
from utils.concurrency import MemoryBudget
from utils.errors import EmotionError, ImageError
from utils.results import FrameResult
from utils.settings import Settings

RESULT = FrameResult(model="fake", width=8, height=8)
SLOTS = 2 * MAX_BATCH


class HeldWorker:
    """Keeps the submitted tasks until they are released."""

    def __init__(self) -> None:
        self.tasks: list[Any] = []

    def submit(self, task: Any) -> None:
        self.tasks.append(task)

    def release(self) -> None:
        while self.tasks:
            self.tasks.pop().future.set_result(RESULT)

    def close(self) -> None:
        """Nothing to stop."""


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "png")
    return file.getvalue()


async def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition did not become true")


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (None, "bad_parameter", "binary message"),
        (b"12345678", "too_large", "The frame has 0.0 MB; the limit is 4e-06 MB."),
        (b"123", "overloaded", "memory"),
    ],
)
def test_a_message_that_is_no_frame_is_refused_with_the_reason(
    data: bytes | None, code: str, words: str
) -> None:
    memory = MemoryBudget(6)
    assert message_problem(b"1234", limit=4.0, memory=memory) is None
    assert memory.in_use == 4
    problem = message_problem(data, limit=4.0, memory=memory)
    assert problem is not None
    assert (problem.code, words in str(problem)) == (code, True)
    assert memory.in_use == 4


def test_the_command_line_becomes_a_configuration() -> None:
    assert parse_args([]) == ServeConfig()
    args = ["--host", "0.0.0.0", "--port", "1", "--proxy", "10.0.0.1", "--access-log"]
    assert parse_args(args) == ServeConfig("0.0.0.0", 1, "10.0.0.1", True)


def test_a_full_queue_refuses_and_a_deadline_ends_the_wait() -> None:
    async def scenario() -> None:
        worker = HeldWorker()
        memory = MemoryBudget(10**9)
        pipeline = Pipeline(
            cast(BatchWorker, worker), 10**6, memory=memory, max_queue=1, deadline=0.3
        )

        def start(*, admitted: bool = False) -> "asyncio.Task[FrameResult]":
            analysis = pipeline.analyze(png(), "a.png", detector="none", admitted=admitted)
            return asyncio.create_task(analysis)

        running = [start() for _ in range(SLOTS)]
        await wait_for(lambda: len(worker.tasks) == SLOTS)
        queued = start()
        await wait_for(lambda: pipeline.waiting == 1)
        with pytest.raises(OverloadedError, match="queue is full"):
            pipeline.check_queue()
        with pytest.raises(OverloadedError, match="queue is full"):
            await start()
        admitted = start(admitted=True)
        with pytest.raises(OverloadedError, match="queued for too long") as refused:
            await queued
        assert refused.value.retry_after == 3
        assert not admitted.done(), "an image of an admitted request has no deadline"
        worker.release()
        await wait_for(lambda: len(worker.tasks) == 1)
        worker.release()
        assert await asyncio.gather(*running, admitted) == [RESULT] * (SLOTS + 1)
        assert (pipeline.waiting, memory.in_use) == (0, 0)
        pipeline.close()

    asyncio.run(scenario())


def test_the_rate_is_limited_per_client() -> None:
    limit = RateLimit(1)
    for _ in range(2):
        limit.check("a")
        limit.count("a")
    with pytest.raises(RateLimitError) as refused:
        limit.check("a")
    limit.check("b")
    response = error_response(refused.value)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1
    no_limit = RateLimit(0)
    for _ in range(100):
        no_limit.check("a")
        no_limit.count("a")


def test_images_wait_for_memory_and_are_refused_when_it_stays_in_use() -> None:
    async def scenario() -> None:
        worker, memory = HeldWorker(), MemoryBudget(3 * 8 * 8)
        pipeline = Pipeline(
            cast(BatchWorker, worker), 10**6, memory=memory, max_queue=9, deadline=0.3
        )
        first = asyncio.create_task(pipeline.analyze(png(), "a.png", detector="none"))
        await wait_for(lambda: len(worker.tasks) == 1)
        assert memory.in_use == 3 * 8 * 8
        with pytest.raises(OverloadedError, match="memory for images is in use"):
            await pipeline.analyze(png(), "b.png", detector="none")
        with pytest.raises(ImageError):  # what can't be decoded needs none
            await pipeline.analyze(b"no image", "c.png", detector="none")
        worker.release()
        assert await first == RESULT
        assert memory.in_use == 0
        pipeline.close()

    asyncio.run(scenario())


OWN = ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "192.168.0.7", "box:1", "LOCALHOST.")


@pytest.mark.parametrize(
    ("host", "origin", "code"),
    [
        *((host, None, None) for host in OWN),
        (None, None, None),
        *((host, f"http://{host}", None) for host in OWN),
        ("localhost:8000", "https://friend.example", None),
        ("a.b.example.org", None, None),
        ("example.org", None, "unknown_host"),
        ("evil.example", "http://evil.example", "unknown_host"),
        ("localhost.evil.example", None, "unknown_host"),
        ("127.0.0.1.evil.example", None, "unknown_host"),
        ("", None, "unknown_host"),
        ("[::1", None, "unknown_host"),
        ("localhost:8000", "http://localhost:3000", "foreign_origin"),
        ("localhost:8000", "http://evil.example", "foreign_origin"),
        ("localhost:8000", "null", "foreign_origin"),
    ],
)
def test_hosts_and_origins_are_checked(
    host: str | None, origin: str | None, code: str | None
) -> None:
    check = HostCheck(
        "box", allowed_hosts=["*.example.org"], origins=["https://friend.example"]
    ).check
    sent = {"host": host, "origin": origin}
    headers = Headers({name: value for name, value in sent.items() if value is not None})
    if code is None:
        check(headers)
        return
    with pytest.raises(EmotionError) as refused:
        check(headers)
    assert refused.value.code == code


def test_hosts_and_origins_may_all_be_allowed() -> None:
    check = HostCheck("localhost", allowed_hosts=["*"], origins=["*"]).check
    check(Headers({"host": "any.example", "origin": "null"}))


def test_client_generators_find_the_same_names() -> None:
    document = create_app(ServiceSettings(), Settings()).openapi()
    assert set(document["components"]["schemas"]) == {
        "BatchAnswer", "ErrorBody", "ErrorInfo", "Face", "Failure", "FrameResult", "HeadInfo",
        "Health", "ModelInfo", "Person", "Status", "VideoAnswer",
    }  # fmt: skip
    operations = {
        operation["operationId"]: [parameter["name"] for parameter in operation["parameters"]]
        for item in document["paths"].values()
        for operation in item.values()
        if "parameters" in operation
    }
    options = ["detector", "top", "min_face", "min_score"]
    assert operations == {
        "predict_predict_post": options,
        "predict_batch_predict_batch_post": options,
        "predict_video_predict_video_post": ["every", *options],
    }
