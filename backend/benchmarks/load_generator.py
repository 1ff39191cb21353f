"""Clients that put the service under load over loopback."""

import asyncio
import math
import time
from collections import Counter
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
import websockets

_FRAMES_PER_SECOND = 30


@dataclass(frozen=True)
class Load:
    """Requests that clients repeat, each on one connection, until a limit is reached.

    Attributes:
        path: Where the image is posted, such as ``/predict?top=1``.
        body: The bytes of the request.
        clients: How many clients post at the same time.
        requests: Limit of all requests together.
        seconds: Limit of the time.
        content_type: What the body is.
    """

    path: str
    body: bytes
    _: KW_ONLY
    clients: int
    requests: float = math.inf
    seconds: float = math.inf
    content_type: str = "image/jpeg"


@dataclass
class LoadResult:
    """How the service coped with a load.

    Attributes:
        seconds: How long the load lasted.
        response_seconds: Time of each successful response.
        statuses: Number of responses by HTTP status.
    """

    seconds: float = 0.0
    response_seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile (0..100) of the successful responses' times, in milliseconds."""
        return round(1000 * float(np.percentile(self.response_seconds, percent)), 1)

    @property
    def rate(self) -> float:
        """Successful responses per second."""
        return round(self.statuses[200] / self.seconds, 1)


@dataclass(frozen=True)
class StreamResult:
    """What a WebSocket received at 30 frames per second.

    Attributes:
        ages_ms: Milliseconds from sending each analysed frame to receiving its message.
        seconds: How long frames were sent.
    """

    ages_ms: list[float]
    seconds: float

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile (0..100) of the ages, in milliseconds."""
        return round(float(np.percentile(self.ages_ms, percent)), 1)

    @property
    def rate(self) -> float:
        """Messages per second."""
        return round(len(self.ages_ms) / self.seconds, 1)


async def post_load(port: int, load: Load) -> LoadResult:
    """Put a service on this machine under load."""
    result, start = LoadResult(), time.perf_counter()
    sent = 0
    head = (
        f"POST {load.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {load.content_type}\r\n"
        f"Content-Length: {len(load.body)}\r\n\r\n"
    ).encode()

    async def client() -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while sent < load.requests and time.perf_counter() - start <= load.seconds:
            sent += 1
            request_start = time.perf_counter()
            writer.write(head + load.body)
            status = await _read_response(reader)
            result.statuses[status] += 1
            if status == 200:
                result.response_seconds.append(time.perf_counter() - request_start)
        writer.close()

    await asyncio.gather(*(client() for _ in range(load.clients)))
    result.seconds = time.perf_counter() - start
    return result


async def _read_response(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def stream_load(port: int, frame: bytes, *, seconds: float) -> StreamResult:
    """Send a frame over a WebSocket 30 times per second.

    Args:
        port: Where the service listens on this machine.
        frame: The bytes of a JPEG file.
        seconds: How long to send.
    """
    sent: dict[int, float] = {}
    ages: list[float] = []
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws", max_queue=None) as connection:

        async def receive() -> None:
            async for message in connection:
                now, frame_field = time.perf_counter(), str(message).split(",", 1)[0]
                ages.append(1000 * (now - sent[int(frame_field.split(":")[1])]))

        receiving = asyncio.create_task(receive())
        start = time.perf_counter()
        for number in range(1, round(_FRAMES_PER_SECOND * seconds) + 1):
            due = start + number / _FRAMES_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent[number] = time.perf_counter()
            await connection.send(frame)
        await asyncio.sleep(0.5)  # for the last message
        receiving.cancel()
    return StreamResult(ages, seconds)
