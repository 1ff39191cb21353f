"""A camera of the network that shows one picture: JPEG frames over HTTP."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FRAME_SECONDS = 0.1


class NetworkCamera:
    """Sends the picture ten times a second until it is switched off.

    Attributes:
        url: Its address.
        off: Ends the video when it is set.
    """

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        encoded = io.BytesIO()
        Image.fromarray(picture).save(encoded, "JPEG")
        self.off = off = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {encoded.tell()}"
                while not off.wait(FRAME_SECONDS):
                    self.wfile.write(f"{head}\r\n\r\n".encode() + encoded.getvalue() + b"\r\n")

            def log_message(self, *values: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/video.mjpg"


@contextmanager
def network_camera(picture: NDArray[np.uint8]) -> Iterator[NetworkCamera]:
    """Run a camera that shows a picture, RGB uint8 ``(H, W, 3)``."""
    camera = NetworkCamera(picture)
    thread = threading.Thread(target=camera.server.serve_forever)
    thread.start()
    yield camera
    camera.off.set()
    camera.server.shutdown()
    thread.join()
    camera.server.server_close()
