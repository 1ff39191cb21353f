"""A live stream over a WebSocket: frames in, one result out for each that there was time for."""

import asyncio
import contextlib
import time as clock
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from backend.service.access import PROTOCOL
from backend.service.errors import OverloadedError, ParameterError, error_info, parameter_error
from backend.service.pipeline import image_memory
from backend.service.predict import PredictOptions, predict_options
from backend.service.state import Engine, State
from utils.concurrency import MemoryBudget, NewestSlot
from utils.errors import EmotionError, TooLargeError
from utils.inference.frame_analysis import Frame, FrameAnalyzer
from utils.media.images import load_image, memory_of
from utils.media.live_outputs.messages import StreamMessage
from utils.results import FrameResult

router = APIRouter()
# A connection ends if the client sends nothing, or does not read, for this many seconds.
IDLE_SECONDS, SEND_SECONDS = 60.0, 10.0
# WebSocket close codes of RFC 6455 and IANA's registry.
_POLICY_VIOLATION, _TRY_AGAIN_LATER, _NORMAL = 1008, 1013, 1000


@dataclass(frozen=True)
class _Message:
    data: bytes
    number: int
    arrived: float


class StreamAnalyzer:
    """Follows the faces of one connection; used by one thread at a time."""

    def __init__(self, state: State, engine: Engine, options: PredictOptions) -> None:
        self._limits, self._memory = state.settings, state.images
        self._lock, self._options = engine.lock, options
        analyzer = engine.live.with_detector(options.detector or engine.live.detector.name)
        self._frames = FrameAnalyzer(analyzer)
        self._first: float | None = None

    def analyze(self, message: _Message) -> FrameResult:
        """Analyse a frame.

        Raises:
            ImageError: The message is not an image.
            OverloadedError: The memory for images is in use.
        """
        max_pixels = self._limits.max_pixels
        needed = memory_of(message.data, max_pixels=max_pixels)
        size = needed.pixels + needed.decoding
        with image_memory(self._memory, size, timeout=self._limits.deadline_seconds):
            return self._analyze(message, max_pixels)

    def _analyze(self, message: _Message, max_pixels: int) -> FrameResult:
        image = load_image(message.data, max_pixels=max_pixels, name=f"frame {message.number}")
        self._first = message.arrived if self._first is None else self._first
        frame = Frame(image, message.arrived - self._first, message.arrived)
        with self._lock:
            analysis = self._frames.analyze(frame)
        return self._options.apply(analysis.result)


class Connection:
    """One WebSocket: the newest frame waits for analysis; those it overtakes are counted."""

    def __init__(self, socket: WebSocket, analyzer: StreamAnalyzer, state: State) -> None:
        self._socket, self._analyzer, self._state = socket, analyzer, state
        self._memory = state.bodies
        self._waiting: NewestSlot[_Message] = NewestSlot()
        self._arrived = asyncio.Event()
        self._number = 0

    async def serve(self) -> None:
        """Serve frames until the client disconnects or sends nothing for too long."""
        responding = asyncio.create_task(self._respond_all())
        try:
            await self._receive_all(responding)
        except (WebSocketDisconnect, asyncio.TimeoutError):
            pass
        finally:
            responding.cancel()
            self._drop(self._waiting.take())
            with contextlib.suppress(
                asyncio.CancelledError, asyncio.TimeoutError, WebSocketDisconnect, RuntimeError
            ):
                await responding

    async def _receive_all(self, responding: "asyncio.Task[None]") -> None:
        limit = self._state.settings.max_body_mb * 1e6
        while not responding.done():
            received = await asyncio.wait_for(self._socket.receive(), IDLE_SECONDS)
            if received["type"] == "websocket.disconnect":
                return
            data = received.get("bytes")
            problem = message_problem(data, limit=limit, memory=self._memory)
            if data is None or problem is not None:
                await self._send(_Message(b"", self._number, clock.monotonic()), error=problem)
                continue
            self._number += 1
            self._drop(self._waiting.put(_Message(data, self._number, clock.monotonic())))
            self._arrived.set()

    async def _respond_all(self) -> None:
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "socket")
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                message = self._waiting.take()
                if message is None:
                    continue
                try:
                    result = await loop.run_in_executor(thread, self._analyzer.analyze, message)
                    self._state.metrics.frames.labels(outcome="answered").inc()
                    await self._send(message, result=result)
                except EmotionError as error:
                    self._state.metrics.frames.labels(outcome="failed").inc()
                    await self._send(message, error=error)
                finally:
                    self._drop(message)
        finally:
            # Without waiting: the event loop would stand still until the current frame is analysed.
            thread.shutdown(wait=False, cancel_futures=True)

    def _drop(self, message: _Message | None) -> None:
        if message is not None:
            self._memory.release(len(message.data))

    async def _send(
        self,
        message: _Message,
        *,
        result: FrameResult | None = None,
        error: EmotionError | None = None,
    ) -> None:
        response = StreamMessage(
            frame=message.number,
            dropped=self._waiting.overtaken,
            age_ms=round(1000 * (clock.monotonic() - message.arrived), 1),
            result=result,
            error=None if error is None else error_info(error),
        )
        text = response.to_json()
        await asyncio.wait_for(self._socket.send_text(text), SEND_SECONDS)


def message_problem(
    data: bytes | None, *, limit: float, memory: MemoryBudget
) -> EmotionError | None:
    """Return why a message can't be analysed; None if it can, and its memory is taken.

    Args:
        data: The message; None for a text message.
        limit: Most bytes of a frame.
        memory: The memory of all bodies.
    """
    if data is None:
        return ParameterError("Send each frame as a binary message: JPEG, PNG or WebP.", "message")
    if len(data) > limit:
        size = f"{len(data) / 1e6:.1f} MB; the limit is {limit / 1e6:g} MB"
        return TooLargeError(f"The frame has {size}.")
    if not memory.acquire(len(data), timeout=0):
        return OverloadedError("The memory for uploads is in use; send the next frame later.")
    return None


@router.websocket("/ws")
async def watch(socket: WebSocket) -> None:
    """Take frames (JPEG, PNG, WebP) as binary messages; return a result for the newest of them."""
    state: State = socket.app.state.service
    protocols = socket.headers.get("sec-websocket-protocol", "")
    await socket.accept(PROTOCOL if PROTOCOL in protocols.replace(" ", "").split(",") else None)
    try:
        analyzer = _admit(socket, state)
    except EmotionError as error:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            refusal = StreamMessage(frame=0, dropped=0, age_ms=0, error=error_info(error))
            await socket.send_text(refusal.to_json())
            overloaded = isinstance(error, OverloadedError)
            await socket.close(_TRY_AGAIN_LATER if overloaded else _POLICY_VIOLATION, error.code)
        return
    state.metrics.sockets.inc()
    try:
        await Connection(socket, analyzer, state).serve()
    finally:
        state.ready.limit.release()
        state.metrics.sockets.dec()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.close(_NORMAL)


def _admit(socket: WebSocket, state: State) -> StreamAnalyzer:
    state.access.check(socket.scope)
    engine = state.ready
    try:
        parsed = PredictOptions.model_validate(dict(socket.query_params))
    except ValidationError as error:
        raise parameter_error(error.errors()[0]) from error
    analyzer = StreamAnalyzer(state, engine, predict_options(state, parsed))
    if not engine.limit.acquire():
        raise OverloadedError("The limit of live streams is reached; try again later.")
    return analyzer
