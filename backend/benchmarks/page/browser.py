"""Chromium in front of the app, with a file for its camera."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from backend.benchmarks.page.glass_to_glass import SCRIPT, camera_switches
from utils.errors import ConfigError
from utils.paths import APP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--no-sandbox",
    # Local addresses hidden behind mDNS names can't be resolved where there is no multicast.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
_STREAMER = 'iframe[title*="webrtc_streamer"]'
_SHOWS = "() => window.glassToGlass?.some(([, , shown]) => shown !== null)"
_PATIENCE_MS = 120_000


@contextmanager
def open_browser(camera: Path) -> Iterator["Browser"]:
    """Yield a browser whose camera shows a file.

    Args:
        camera: An ``.mjpeg`` file, as ``write_camera_file`` makes it.

    Raises:
        ConfigError: There is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    path = _chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*_SWITCHES, *camera_switches(camera)]
        )
        try:
            yield browser
        finally:
            browser.close()


def start_video(page: "Page", address: str) -> "Frame":
    """Open the page, press START and return the frame with the video once it shows a picture."""
    page.set_default_timeout(_PATIENCE_MS)
    page.add_init_script(path=SCRIPT)
    page.goto(address)
    # The numbers in the picture can't be read in a mirror.
    page.get_by_text("Mirror", exact=True).click()
    page.frame_locator(_STREAMER).get_by_role("button", name="Start", exact=True).click()
    frame = page.locator(_STREAMER).element_handle().content_frame()
    assert frame is not None
    frame.wait_for_function(_SHOWS)
    return frame


def stop_video(page: "Page") -> None:
    """Press STOP and wait until the page could start again."""
    streamer = page.frame_locator(_STREAMER)
    streamer.get_by_role("button", name="Stop", exact=True).click()
    streamer.get_by_role("button", name="Start", exact=True).wait_for()


@contextmanager
def running_app(model: Path | None) -> Iterator[tuple[str, int]]:
    """Yield address and process number of an app that is ready, and stop it at the end.

    Args:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.

    Raises:
        ConfigError: The app does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"MALLOC_ARENA_MAX": "2", **os.environ}  # as `make app` does
    if model:
        environment["EMOTION_MODEL"] = str(model)
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.1)
        else:
            raise ConfigError("the app ended at once; start it with `emotion app` to see why")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def _chromium() -> str:
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise ConfigError(
        f"the live page needs a browser, one of {', '.join(_BROWSERS)}; on Debian and Ubuntu: "
        "apt install chromium"
    )
