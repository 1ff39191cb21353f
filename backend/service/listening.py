"""How the server listens: its sockets, and what connections may hold before they are served."""

import asyncio
import errno
import socket
import sys
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from utils.concurrency import MemoryBudget
from utils.errors import ConfigError

# A client has to send the head of its request within this many seconds.
HEAD_SECONDS = 10.0
# A WebSocket message may have this many fragments: each takes more memory than its bytes.
MAX_FRAGMENTS = 1000
# A WebSocket that is being closed may send the rest of a frame of this many bytes.
_MAX_REST = 1_000_000
# WebSocket close codes of RFC 6455 and IANA's registry.
_TOO_BIG, _TRY_AGAIN_LATER = 1009, 1013
_REASONS = {
    errno.EADDRINUSE: "another program, perhaps another service, uses it; choose another --port",
    errno.EACCES: "this needs privileges; choose a --port from 1024",
    errno.EADDRNOTAVAIL: "this computer does not have this address; choose another --host",
}


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to every address of a host.

    Args:
        host: A name or an address of this computer.
        port: TCP port; 0 takes one that is free.

    Raises:
        ConfigError: The host is unknown, or the port can't be used.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{host!r} is not a host name or address of this computer") from error
    sockets: list[socket.socket] = []
    problem: OSError | None = None
    for family, address in dict.fromkeys((item[0], item[4]) for item in found):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bind(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            problem = error
            # The names of a computer include its IPv6 address even where IPv6 is switched off.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                break
    else:
        if sockets:
            return sockets
    for bound in sockets:
        bound.close()
    reason = _REASONS.get(problem.errno or 0, problem.strerror) if problem else "no address"
    raise ConfigError(f"can't listen on {host}, port {port}: {reason}") from problem


def _bind(family: int, address: tuple[Any, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # On Windows this option would let two programs listen on one port.
        if sys.platform != "win32":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


class HttpServer(uvicorn.Server):
    """uvicorn's server, which lets the requests that it cancels in the end respond."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; requests that take longer than the graceful timeout are cancelled."""
        await super().shutdown(sockets)
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1.0)


class HttpProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with a limit on the time that the head of a request may take.

    uvicorn limits only how long a connection may be idle between two requests.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        self._stop()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on; once they complete a head, nothing is waited for."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Start waiting for the next request."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        answered = self.cycle is None or self.cycle.response_complete
        upgraded = self.transport.get_protocol() is not self
        if not answered or upgraded or self.transport.is_closing():
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._time_out)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            text = f"The head of the request did not arrive within {HEAD_SECONDS:g} seconds."
            head = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
            events = (
                h11.Response(status_code=408, headers=head, reason=b"Request Timeout"),
                h11.Data(data=text.encode()),
                h11.EndOfMessage(),
            )
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()


class _MessageQueue(asyncio.Queue[Any]):
    """A queue of ASGI messages that knows how much they hold.

    Attributes:
        size: Bytes or characters of all messages.
    """

    size = 0

    def _put(self, item: Any) -> None:
        self.size += _size_of(item)
        super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        self.size -= _size_of(item)
        return item


def _size_of(message: Any) -> int:
    return len(message.get("bytes") or message.get("text") or "")


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with a limit on what has arrived and was not taken yet.

    uvicorn limits a message, but not how many connections hold one, or a part of one; those that
    are refused can go on sending, too.

    Args:
        memory: The memory of all bodies.
    """

    def __init__(self, *args: Any, memory: MemoryBudget, **options: Any) -> None:
        super().__init__(*args, **options)
        self.queue: _MessageQueue = _MessageQueue()
        self._memory, self._held = memory, 0

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client, if there is memory for them."""
        super().data_received(data)
        self._count()

    async def receive(self) -> Any:
        """Hand the next message to the application."""
        message = await super().receive()
        self._count()
        return message

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the memory back."""
        super().connection_lost(exc)
        self._memory.release(self._held)
        self._held = 0

    def _count(self) -> None:
        if self.disconnected or self.transport.is_closing():
            return
        rest = len(self.conn.reader.buffer)
        held = rest + sum(map(len, self.frames)) + self.queue.size
        if held > self._held and not self._memory.acquire(held - self._held, timeout=0):
            self._fail(_TRY_AGAIN_LATER, "overloaded")
            return
        self._memory.release(max(0, self._held - held))
        self._held = held
        if len(self.frames) > MAX_FRAGMENTS:
            self._fail(_TOO_BIG, "too many fragments")
        elif self.close_sent and rest > _MAX_REST:
            self.transport.abort()

    def _fail(self, code: int, reason: str) -> None:
        self.conn.fail(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
