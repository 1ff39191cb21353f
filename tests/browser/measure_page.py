"""How fluent the live page is: frames a second that a real browser shows while faces are analysed.

A measurement, not a test; browser, camera, server and inference share this computer:
    python -m pytest -q -s tests/browser/measure_page.py
"""

import re
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
    stats = re.sub(r"\s+", " ", page.locator("dl.stats").inner_text())
    print(f"\n{shown / SECONDS:.1f} frames a second shown at {size}; the page says: {stats}")
