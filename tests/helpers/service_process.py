"""The service as users start it, on loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from paths import REPO

from utils.memory import memory_mb


@dataclass
class Service:
    """A running service.

    Attributes:
        address: Its base URL.
        process: The process.
        log: File with everything it printed.
    """

    address: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def socket_address(self) -> str:
        return self.address.replace("http", "ws") + "/ws"

    def memory_mb(self) -> float:
        return memory_mb(pid=self.process.pid) or 0.0


ServiceStarter = Callable[..., Service]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect_to(service: Service) -> socket.socket:
    """Return a connection to a service, to be used without HTTP's rules."""
    host, port = service.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def start_process(log: Path, **settings: object) -> Service:
    """Start the service with settings and wait until it is ready."""
    port = free_port()
    command = [sys.executable, "backend/api.py", "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=REPO, env=environment, stdout=out, stderr=out)
    service = Service(f"http://127.0.0.1:{port}", process, log)
    deadline = time.monotonic() + 60
    while not _is_ready(service.address):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return service


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False
