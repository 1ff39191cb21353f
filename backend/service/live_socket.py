"""A live stream over a WebSocket: pictures in, one answer out for each that there was time for."""

import asyncio
import contextlib
import time as clock
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

from backend.service.access import PROTOCOL, check_key
from backend.service.errors import OverloadedError, ParameterError, error_info
from backend.service.predict import PredictOptions, predict_options
from backend.service.state import Engine, State
from utils.errors import EmotionError
from utils.inference.detection_schedule import DetectionSchedule
from utils.inference.stream import Frame, LiveOptions, analyze_frame, result_at
from utils.inference.tracking import Tracker
from utils.media.images import load_image
from utils.results import ErrorInfo, FrameResult

router = APIRouter()
# A client that neither sends nor reads for so long is gone.
IDLE_SECONDS, SEND_SECONDS = 60.0, 10.0
# WebSocket close codes of RFC 6455 and IANA's registry.
_REFUSED, _LATER, _NORMAL = 1008, 1013, 1000


class SocketMessage(BaseModel):
    """What became of one frame.

    Attributes:
        frame: Which one: 1 is the first that the client sent.
        dropped: Frames so far that newer ones overtook.
        age_ms: Milliseconds between the arrival of the frame and this answer.
        result: The faces; ``time`` is counted from the first frame.
        error: Why there is no result.
    """

    frame: int
    dropped: int
    age_ms: float
    result: FrameResult | None = None
    error: ErrorInfo | None = None


@dataclass(frozen=True)
class _Sent:
    data: bytes
    number: int
    arrived: float


class Viewer:
    """Follows the faces of one connection; used by one thread at a time."""

    def __init__(self, engine: Engine, wished: PredictOptions, max_pixels: int) -> None:
        self._engine, self._wished, self._max_pixels = engine, wished, max_pixels
        self._analyzer = engine.live_analyzer.with_detector(
            wished.detector or engine.live_analyzer.detector.name
        )
        self._tracker, self._plan = Tracker(), DetectionSchedule()
        self._smoothing = LiveOptions().smoothing
        self._first: float | None = None

    def look(self, sent: _Sent) -> FrameResult:
        """Analyse a frame.

        Raises:
            ImageError: It is no picture.
        """
        image = load_image(sent.data, self._max_pixels, f"frame {sent.number}")
        self._first = sent.arrived if self._first is None else self._first
        frame = Frame(image, sent.arrived - self._first, sent.arrived)
        with self._engine.gate:
            shown, _ = analyze_frame(
                self._analyzer, self._tracker, self._plan, frame, self._smoothing
            )
        size = image.shape[1], image.shape[0]
        return self._wished.apply(result_at(shown, frame.time, size, self._analyzer))


class Connection:
    """One WebSocket: the newest frame waits in a slot, those it overtakes are counted."""

    def __init__(self, socket: WebSocket, viewer: Viewer, state: State) -> None:
        self._socket, self._viewer, self._state = socket, viewer, state
        self._slot: _Sent | None = None
        self._came = asyncio.Event()
        self._number = self._dropped = 0

    async def serve(self) -> None:
        """Serve frames until the client goes away or is silent for too long."""
        answering = asyncio.create_task(self._answer_all())
        try:
            await self._receive_all(answering)
        except (WebSocketDisconnect, asyncio.TimeoutError):
            pass
        finally:
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await answering

    async def _receive_all(self, answering: "asyncio.Task[None]") -> None:
        limit = self._state.settings.max_body_mb * 1e6
        while not answering.done():
            message = await asyncio.wait_for(self._socket.receive(), IDLE_SECONDS)
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None or len(data) > limit:
                problem = "Send pictures as binary messages of JPEG, PNG or WebP bytes."
                nothing = _Sent(b"", self._number, clock.monotonic())
                await self._send(nothing, None, ParameterError(problem, "message"))
                continue
            self._number += 1
            self._dropped += self._slot is not None
            self._slot = _Sent(data, self._number, clock.monotonic())
            self._came.set()

    async def _answer_all(self) -> None:
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "socket")
        try:
            while True:
                await self._came.wait()
                self._came.clear()
                sent, self._slot = self._slot, None
                if sent is None:
                    continue
                try:
                    result = await loop.run_in_executor(thread, self._viewer.look, sent)
                    self._state.metrics.frames.labels(outcome="answered").inc()
                    await self._send(sent, result, None)
                except EmotionError as error:
                    self._state.metrics.frames.labels(outcome="failed").inc()
                    await self._send(sent, None, error)
        finally:
            # Without waiting: the event loop would stand still for the frame in work.
            thread.shutdown(wait=False, cancel_futures=True)

    async def _send(
        self, sent: _Sent, result: FrameResult | None, problem: EmotionError | None
    ) -> None:
        answer = SocketMessage(
            frame=sent.number,
            dropped=self._dropped,
            age_ms=round(1000 * (clock.monotonic() - sent.arrived), 1),
            result=result,
            error=None if problem is None else error_info(problem),
        )
        text = answer.model_dump_json(exclude_none=True)
        await asyncio.wait_for(self._socket.send_text(text), SEND_SECONDS)


@router.websocket("/ws")
async def watch(socket: WebSocket) -> None:
    """Take pictures (JPEG, PNG, WebP) as binary messages and answer each that there is time for."""
    state: State = socket.app.state.service
    protocols = socket.headers.get("sec-websocket-protocol", "")
    await socket.accept(PROTOCOL if PROTOCOL in protocols.replace(" ", "").split(",") else None)
    try:
        viewer = _admit(socket, state)
    except EmotionError as error:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            answer = SocketMessage(frame=0, dropped=0, age_ms=0, error=error_info(error))
            await socket.send_text(answer.model_dump_json(exclude_none=True))
            await socket.close(_LATER if isinstance(error, OverloadedError) else _REFUSED)
        return
    state.metrics.sockets.inc()
    try:
        await Connection(socket, viewer, state).serve()
    finally:
        state.ready.gate.leave()
        state.metrics.sockets.dec()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await socket.close(_NORMAL)


def _admit(socket: WebSocket, state: State) -> Viewer:
    check_key(state.settings, socket.headers)
    engine, query = state.ready, socket.query_params
    try:
        given = {name: query[name] for name in PredictOptions.model_fields if name in query}
        wished = PredictOptions.model_validate(given)
    except ValueError as error:
        raise ParameterError("A parameter has an impossible value.", "query") from error
    wished = predict_options(state, **wished.model_dump())
    if wished.top is not None and wished.top < 1:
        raise ParameterError("top: must be at least 1.", "top")
    viewer = Viewer(engine, wished, int(state.settings.max_megapixels * 1e6))
    if not engine.gate.admit():
        raise OverloadedError("All places for live streams are taken; try again later.")
    return viewer
