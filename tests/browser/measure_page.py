"""How fluent the live page is, and how long a viewer waits for the others.

A measurement, not a test; browser, camera, server and inference share this computer:
    python -m pytest -q -s tests/browser/measure_page.py
"""

import re
import time
from collections.abc import Callable
from pathlib import Path

from conftest import BrowserStarter
from test_live_page import STREAMER, fake_camera, open_page, press, status

SECONDS = 20
FRAMES = "video => video.getVideoPlaybackQuality().totalVideoFrames"


def test_frames_a_second(app: str, camera_clip: Path, open_browser: BrowserStarter) -> None:
    page = open_page(open_browser(*fake_camera(camera_clip)), app)
    press(page, "Start")
    status(page, "1 face in view")
    video = page.frame_locator(STREAMER).locator("video")
    # WebRTC sends a smaller picture for its first half minute, until the connection proves good.
    page.wait_for_timeout(40_000)
    while video.evaluate("video => video.videoWidth") < 640:
        page.wait_for_timeout(1000)
    before = video.evaluate(FRAMES)
    page.wait_for_timeout(SECONDS * 1000)
    shown = video.evaluate(FRAMES) - before
    size = video.evaluate("video => `${video.videoWidth}x${video.videoHeight}`")
    page.get_by_text("Settings").click()
    stats = re.sub(r"\s+", " ", page.locator("dl.stats").inner_text())
    print(f"\n{shown / SECONDS:.1f} frames a second shown at {size}; the page says: {stats}")


def test_waiting_times(app: str, open_browser: BrowserStarter, astronaut_jpg: Path) -> None:
    """Print how long a viewer waits for pages, for a photo's answer and for a touch of a widget."""
    page = open_browser().new_page(viewport={"width": 1280, "height": 900})

    def seconds(act: Callable[[], object]) -> float:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began

    def visit(name: str) -> None:
        page.goto(f"{app}/{name}")
        page.get_by_role("heading", level=1).wait_for()
        page.locator(".notice, [data-testid=stTabs], [data-testid=stTextInput]").first.wait_for()

    visit("photo")  # the first visit loads the model
    for name in ("photo", "video", "batch", "sessions", "model", "about"):
        print(f"\n{name}: useful after {seconds(lambda n=name: visit(n)):.2f} s", end="")
    visit("photo")

    def answer() -> None:
        page.locator("input[type=file]").first.set_input_files(astronaut_jpg)
        page.locator(".face .top").wait_for()

    print(f"\nphoto to answer: {seconds(answer):.2f} s")
    page.get_by_text("Samples", exact=True).click()
    page.get_by_text("Two faces", exact=True).click()
    page.get_by_text("2 faces").wait_for()

    def choose(number: int) -> None:
        page.get_by_role("button", name=f"Face {number}:").click()
        page.locator(".face header b", has_text=f"Face {number}").wait_for()

    touches = sorted(seconds(lambda n=n: choose(n)) for n in (2, 1) * 5)
    print(f"another face: {1000 * touches[5]:.0f} ms, median of ten")
