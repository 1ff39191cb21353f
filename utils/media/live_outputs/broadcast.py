"""A WebSocket server on this computer that passes every message on to all who are connected."""

import asyncio
import re
import threading
from collections import deque
from typing import TYPE_CHECKING

from utils.errors import OutputError, reason_of
from utils.extras import require
from utils.media.live_outputs.messages import EventKind, StreamMessage

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection

HOST = "127.0.0.1"
# Messages that wait for a client that reads too slowly.
MAX_WAITING = 256
CLOSE_SECONDS = 2.0
# Browsers name the page that connects; else every page of the web that somebody opens could listen.
_LOCAL_PAGE = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class Broadcast:
    """Sends every message to each connected client; one that reads too slowly misses some.

    A client that connects later receives the start event first. Web pages can connect only if they
    come from this computer.

    Args:
        port: TCP port of the loopback interface; 0 takes a free one.

    Attributes:
        port: The port that is listened on.

    Raises:
        MissingExtraError: ``websockets`` is not installed.
        OutputError: The port can't be listened on.
    """

    def __init__(self, port: int) -> None:
        require("api", feature="The WebSocket broadcast", modules=("websockets",))
        self._clients: set[_Client] = set()
        self._start: StreamMessage | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="broadcast", daemon=True
        )
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result()
        except (OSError, OverflowError) as error:
            self._end_thread()
            raise OutputError(
                f"broadcast: can't listen on port {port} ({reason_of(error)}); choose another one"
            ) from error
        self.port: int = next(iter(self._server.sockets)).getsockname()[1]

    def send(self, message: StreamMessage, captured: float) -> None:
        """Pass a message on to the clients."""
        self._loop.call_soon_threadsafe(self._publish, message)

    def close(self) -> None:
        """Pass on what is waiting, for two seconds at most, and close the connections."""
        asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop).result()
        self._end_thread()

    async def _listen(self, port: int) -> "Server":
        from websockets.asyncio.server import serve

        server: Server = await serve(
            self._serve,
            HOST,
            port,
            origins=[None, _LOCAL_PAGE],
            compression=None,  # nothing leaves this computer
            close_timeout=CLOSE_SECONDS,
        )
        return server

    async def _serve(self, connection: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        client = _Client()
        if self._start is not None:
            client.put(self._start)
        self._clients.add(client)
        try:
            while (text := await client.take()) is not None:
                await connection.send(text)
        except ConnectionClosed:
            pass
        finally:
            self._clients.remove(client)
            client.gone.set()

    def _publish(self, message: StreamMessage) -> None:
        if message.event and message.event.kind is EventKind.START:
            self._start = message
        for client in self._clients:
            client.put(message)

    async def _shut_down(self) -> None:
        for client in self._clients:
            client.end()
        served = [asyncio.create_task(client.gone.wait()) for client in self._clients]
        if served:
            await asyncio.wait(served, timeout=CLOSE_SECONDS)
        self._server.close()
        await self._server.wait_closed()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Client:
    """The messages that wait for one client; used in the event loop only."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self._waiting: deque[StreamMessage] = deque()
        self._changed = asyncio.Event()
        self._dropped = 0
        self._ended = False

    def put(self, message: StreamMessage) -> None:
        if len(self._waiting) == MAX_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(message)
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def take(self) -> str | None:
        """Wait for the next message and return its JSON document; None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft().to_json(dropped=self._dropped)
