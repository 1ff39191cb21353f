"""The HTTP and WebSocket service: images in, emotions out, for programs and web pages.

Examples:
  python backend/api.py                                  on http://localhost:8000
  EMOTION_API_KEY=secret python backend/api.py --host 0.0.0.0
  curl -F image=@photo.jpg http://localhost:8000/predict

http://localhost:8000/ shows the camera with bars, /docs every endpoint and every setting.
"""

from backend.console.requirements import ensure

ensure("api", "The service")

import argparse
import logging
from dataclasses import dataclass
from functools import partial

import uvicorn

from backend.console.cli import ExitCode, run
from backend.console.options import ArgumentParser, build_config
from backend.service.app import create_app
from backend.service.listening import HttpProtocol, HttpServer, SocketProtocol, listen
from backend.service.settings import get_service_settings
from utils.memory import return_large_blocks
from utils.settings import get_settings

logger = logging.getLogger(__name__)

# Requests that are being handled may take this long to end before the service does.
SHUTDOWN_SECONDS = 5


@dataclass(frozen=True)
class ServeConfig:
    """Where the service listens; its limits are settings from the environment.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 takes any that is free.
        proxy: Address of a proxy whose ``X-Forwarded`` headers are trusted.
        access_log: Log a line for each request.
    """

    host: str = "localhost"
    port: int = 8000
    proxy: str | None = None
    access_log: bool = False


def parse_args(argv: list[str] | None = None) -> ServeConfig:
    """Return the configuration that the command line describes."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--host", default="localhost", help="address to listen on (default: this computer only)"
    )
    parser.add_argument("--port", type=_port, default=8000, help="default: 8000; 0: any free one")
    parser.add_argument(
        "--proxy",
        metavar="ADDRESS",
        help="trust the X-Forwarded headers of a proxy at this address, for TLS",
    )
    parser.add_argument("--access-log", action="store_true", help="log a line for each request")
    return build_config(ServeConfig, vars(parser.parse_args(argv)))


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def serve(config: ServeConfig) -> int:
    """Run the service until it is interrupted, and return the exit code.

    Raises:
        EmotionError: A setting is impossible, the port is in use, or the model or detector can't be
            loaded.
    """
    settings = get_service_settings()
    app = create_app(settings, get_settings(), host=config.host)
    sockets = listen(config.host, config.port)
    server = HttpServer(
        uvicorn.Config(
            app,
            http=HttpProtocol,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            access_log=config.access_log,
            proxy_headers=config.proxy is not None,
            forwarded_allow_ips=config.proxy,
            ws_max_size=int(settings.max_body_mb * 1_000_000),
            ws=partial(SocketProtocol, memory=app.state.service.bodies),  # type: ignore[arg-type]
            log_level="info",
        )
    )
    state = app.state.service
    # Without its model the service is useless.
    state.on_load_error = lambda: setattr(server, "should_exit", True)
    logger.info("Listening on http://%s:%d", _shown(config.host), sockets[0].getsockname()[1])
    server.run(sockets)
    if state.load_error:
        raise state.load_error
    return ExitCode.SUCCESS if server.started else ExitCode.SOME_FAILED


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    return_large_blocks()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    return serve(config)


if __name__ == "__main__":
    run(main)
