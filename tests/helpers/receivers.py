"""Programs that receive live outputs: an HTTP server, WebSocket clients, LSL inlets."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# Read when liblsl is loaded: streams are searched for on this computer only.
os.environ["LSLAPICFG"] = str(Path(__file__).with_name("lsl_loopback.cfg"))


class HttpServer:
    """An HTTP server that keeps what is posted to it.

    Attributes:
        url: Its address.
        answers: Status codes of the next responses; 200 when none is left.
        headers: Of the requests, in order.
        bodies: JSON documents of the requests that were answered with 200, in order.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.headers.append(dict(self.headers))
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == 200:
                    receiver.bodies.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *values: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/results"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages that were accepted, in order."""
        return [message for body in list(self.bodies) for message in body["messages"]]


@contextmanager
def http_server() -> Iterator[HttpServer]:
    """Run an HTTP server."""
    receiver = HttpServer()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


@contextmanager
def lsl_inlet(name: str) -> Iterator[Any]:
    """Find a stream of the Lab Streaming Layer on this computer and receive it."""
    import pylsl

    (found,) = pylsl.resolve_byprop("name", name, timeout=20)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(timeout=20)
    yield inlet
    inlet.close_stream()
