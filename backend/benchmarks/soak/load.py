"""The clients of a soak test: uploads, sockets, and live streams that are recorded."""

import asyncio
import json
import threading
import time
from collections import Counter
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import websockets

from backend.benchmarks.clip import FPS, Clip, frame_index
from backend.benchmarks.load_generator import Load, post_load
from utils.concurrency import FairLock, StreamLimit
from utils.errors import EmotionError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer
from utils.media.sessions import Recorder, SessionStore

_REQUESTS_PER_CONNECTION = 5
_FRAMES_PER_CONNECTION = 40
_PAUSE = 0.2
_PATIENCE = 120.0
_STREAM_SECONDS = 6.0
# What the service says when it is asked for too much is no error.
_OVERLOADED, _OVERLOADED_CODE = 503, "overloaded"


@dataclass
class Tally:
    """Counts of what happened; safe to share between threads.

    Attributes:
        answers: What was answered as it should be, by kind.
        errors: What was not, by kind.
    """

    answers: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, *, count: int = 1, error: bool = False) -> None:
        """Count an answer or an error."""
        with self._lock:
            (self.errors if error else self.answers)[kind] += count


@dataclass(frozen=True)
class Upload:
    """What a client posts again and again.

    Attributes:
        name: What the counts call it.
        load: The request.
        expected: The status of its response.
    """

    name: str
    load: Load
    _: KW_ONLY
    expected: int = 200


async def keep_uploading(port: int, upload: Upload, *, tally: Tally, until: float) -> None:
    """Post an upload until a moment of ``time.monotonic``, a few requests per connection."""
    while time.monotonic() < until:
        try:
            posting = post_load(port, upload.load)
            result = await asyncio.wait_for(posting, _PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            tally.add(f"{upload.name}: {type(error).__name__}", error=True)
        else:
            for status, count in result.statuses.items():
                wrong = status not in (upload.expected, _OVERLOADED)
                tally.add(f"{upload.name}: {status}", count=count, error=wrong)
        await asyncio.sleep(_PAUSE)


def upload(name: str, path: str, body: bytes, *, content_type: str, expected: int = 200) -> Upload:
    """Return an upload by one client."""
    load = Load(path, body, clients=1, requests=_REQUESTS_PER_CONNECTION, content_type=content_type)
    return Upload(name, load, expected=expected)


async def keep_watching(port: int, frame: bytes, *, tally: Tally, until: float) -> None:
    """Open a WebSocket, send some frames and close it, again and again, every other time rudely."""
    rude = False
    while time.monotonic() < until:
        try:
            async with websockets.connect(f"ws://127.0.0.1:{port}/ws") as connection:
                for _ in range(_FRAMES_PER_CONNECTION):
                    await connection.send(frame)
                    text = await asyncio.wait_for(connection.recv(), _PATIENCE)
                    _count_message(json.loads(text), tally)
                    if time.monotonic() > until:
                        break
                    await asyncio.sleep(1 / FPS)
                if rude := not rude:
                    connection.transport.abort()
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            tally.add(f"socket: {type(error).__name__}", error=True)
        await asyncio.sleep(_PAUSE)


def _count_message(message: dict[str, dict[str, str]], tally: Tally) -> None:
    code = message["error"]["code"] if "error" in message else "result"
    tally.add(f"socket: {code}", error=code not in ("result", _OVERLOADED_CODE))


class RecordedStreams:
    """Live streams as the app runs them, each recorded into a session of its own.

    Args:
        analyzer: Shared by the streams.
        clip: RGB uint8 frames of ``(480, 640, 3)``.
        database: SQLite file for the sessions.
        tally: Where results and errors are counted.
    """

    def __init__(
        self, analyzer: EmotionAnalyzer, clip: Clip, *, database: Path, tally: Tally
    ) -> None:
        self._analyzer, self._clip, self._tally = analyzer, clip, tally
        self._store = SessionStore(f"sqlite:///{database}")
        self._lock, self._limit = FairLock(), StreamLimit()

    def run(self, until: float) -> None:
        """Start and stop streams until a moment of ``time.monotonic``; for one thread each."""
        while time.monotonic() < until:
            try:
                self._record(min(time.monotonic() + _STREAM_SECONDS, until))
            except EmotionError as error:
                self._tally.add(f"recording: {error}", error=True)

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def _record(self, until: float) -> None:
        """Record one stream, read the recording and delete it."""
        live = LiveAnalyzer(self._analyzer, lock=self._lock, limit=self._limit)
        classes = live.snapshot().classes
        session = self._store.create("soak", "live", model="soak", classes=classes)
        recorder = Recorder(self._store, session)
        live.listener = recorder.put
        start, number = time.monotonic(), 0
        while (now := time.monotonic()) < until:
            live.process(self._clip[frame_index(number, len(self._clip))], now - start)
            number += 1
            time.sleep(1 / FPS)
        problem = live.snapshot().error or recorder.problem
        live.stop()
        recorder.stop()
        if problem:
            self._tally.add(f"live stream: {problem}", error=True)
        (info,) = (found for found in self._store.sessions() if found.id == session)
        self._tally.add("live stream: recorded points", count=len(self._store.table(info)))
        self._store.delete([session])
