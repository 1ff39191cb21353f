"""The HTTP and WebSocket service: pictures in, emotions out, for programs and web pages.

Examples:
  python backend/api.py                                  on http://localhost:8000
  EMOTION_API_KEY=secret python backend/api.py --host 0.0.0.0
  curl -F image=@photo.jpg http://localhost:8000/predict

http://localhost:8000/ shows the camera with bars, /docs every address and every setting.
"""

from backend.console.requirements import ensure

ensure("api", "The service")

import argparse
import logging

import uvicorn

from backend.console.cli import run
from backend.service.app import create_app
from backend.service.settings import get_service_settings
from utils.settings import get_settings


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--host", default="localhost", help="address to listen on (default: this computer alone)"
    )
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    parser.add_argument(
        "--proxy",
        metavar="ADDRESS",
        help="trust the X-Forwarded headers of a proxy at this address, for TLS",
    )
    parser.add_argument("--access-log", action="store_true", help="log a line for each request")
    return parser.parse_args(argv)


def main() -> int:
    """Run the service until it is interrupted, and return the exit code."""
    args = parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    settings = get_service_settings()
    app = create_app(settings, get_settings())
    config = uvicorn.Config(
        app,
        host=args.host,
        port=args.port,
        access_log=args.access_log,
        proxy_headers=args.proxy is not None,
        forwarded_allow_ips=args.proxy,
        ws_max_size=int(settings.max_body_mb * 1_000_000),
        # Frames that wait behind the one being analysed would only grow old.
        ws_max_queue=2,
        log_level="info",
    )
    server = uvicorn.Server(config)
    # Without its model the service is of no use to anyone.
    app.state.service.on_problem = lambda: setattr(server, "should_exit", True)
    server.run()
    if app.state.service.problem:
        raise app.state.service.problem
    return 0 if server.started else 1


if __name__ == "__main__":
    run(main)
