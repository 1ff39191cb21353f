"""A real Chromium with a fake camera, and the app as people start it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from paths import REPO
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ARTIFACTS = REPO / "artifacts"
CLIP_SECONDS = 8
MOUTH = slice(124, 162), slice(196, 252)  # rows and columns of the astronaut's photo
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Local addresses hidden behind mDNS names can't be resolved where there is no multicast.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
_SERVERS: dict[str, subprocess.Popen] = {}
AppStarter = Callable[..., str]
BrowserStarter = Callable[..., Browser]


def chromium() -> str:
    """Return the path of the browser; its absence fails the test instead of hiding it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("The browser tests need Chromium: apt install chromium", pytrace=False)


def moving_face(photo: NDArray[np.uint8], second: float) -> NDArray[np.uint8]:
    """Return a camera picture, RGB uint8 (480, 640, 3), of a face that moves, tilts and dims.

    Every other two seconds the smile hangs upside down, so that the expression changes.
    """
    if second % 4 >= 2:
        photo = photo.copy()
        photo[MOUTH] = photo[MOUTH][::-1].copy()
    phase = 2 * np.pi * second / CLIP_SECONDS
    turn = cv2.getRotationMatrix2D((224, 110), 14 * np.sin(2 * phase), 1.25 + 0.35 * np.cos(phase))
    turn[:, 2] += (320 - 224 + 70 * np.sin(phase), 230 - 110)
    moved = cv2.warpAffine(photo, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    light = 0.8 + 0.35 * np.sin(3 * phase)
    return np.clip(moved * light, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def camera_clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake camera shows, over and over: JPEG pictures one after the other."""
    path = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    with path.open("wb") as file:
        for number in range(CLIP_SECONDS * 30):
            picture = moving_face(astronaut, number / 30)
            file.write(cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def open_browser(playwright: Playwright) -> Iterator[BrowserStarter]:
    """Return a function that starts Chromium with further switches; all are closed in the end."""
    browsers: list[Browser] = []

    def start(*switches: str) -> Browser:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET, *switches])
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="session")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppStarter]:
    """Return a function that starts the app, or another script, and returns its address."""
    servers = _SERVERS

    def start(script: str = "frontend/app.py", **settings: str) -> str:
        port = _free_port()
        log = tmp_path_factory.mktemp("app") / "log.txt"
        command = [sys.executable, "-m", "streamlit", "run", script]
        command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
        command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
        with log.open("wb") as output:
            server = subprocess.Popen(
                command,
                cwd=REPO,
                env={**os.environ, "MALLOC_ARENA_MAX": "2", **settings},  # as `make app` does
                stdout=output,
                stderr=output,
            )
        address = f"http://127.0.0.1:{port}"
        servers[address] = server
        _wait_until_healthy(address, server, log)
        return address

    yield start
    for server in servers.values():
        server.terminate()
    for server in servers.values():
        server.wait(30)


@pytest.fixture(scope="session")
def app(start_app: AppStarter) -> str:
    """The address of the app with its bundled model."""
    return start_app()


def usage(address: str) -> tuple[int, float]:
    """Return the threads and the resident memory in MB of a server that ``start_app`` started."""
    status = Path(f"/proc/{_SERVERS[address].pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["Threads"]), int(fields["VmRSS"].split()[0]) / 1024


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the whole page, of which Streamlit scrolls a part, as a test artefact."""
    ARTIFACTS.mkdir(exist_ok=True)
    size = page.viewport_size or {"width": 1280, "height": 900}
    main = page.locator(".stMainBlockContainer")
    height = main.evaluate("(element) => Math.min(element.scrollHeight, 3000)")
    page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
    page.wait_for_timeout(1500)
    page.screenshot(path=ARTIFACTS / f"{name}.png")
    page.set_viewport_size(size)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text()[-3000:]}", pytrace=False)
