"""The video shown keeps up with the camera, also while other programs use the processor."""

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import BrowserStarter
from numpy.typing import NDArray
from playwright.sync_api import expect
from test_live_page import PATIENCE, STREAMER, open_page, press

from backend.benchmarks.clip import moving_photo
from backend.benchmarks.page.glass_to_glass import (
    SCRIPT,
    busy_processes,
    camera_switches,
    picture_ages,
    write_camera_file,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECONDS = 40


@pytest.fixture(scope="module")
def counting_camera(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("camera") / "counting.mjpeg"
    write_camera_file(path, moving_photo(astronaut))
    return path


def test_the_video_does_not_fall_behind_the_camera(
    app: str, counting_camera: Path, open_browser: BrowserStarter
) -> None:
    browser = open_browser(*camera_switches(counting_camera))
    page = open_page(browser, app, script=SCRIPT.read_text(encoding="utf-8"))
    page.get_by_text("Mirror", exact=True).click()  # so that the numbers can be read
    press(page, "Start")
    frame = page.locator(STREAMER).element_handle().content_frame()
    assert frame is not None
    frame.wait_for_function(
        "() => window.glassToGlass?.some(([, , shown]) => shown !== null)", timeout=PATIENCE
    )
    with busy_processes(2):
        page.wait_for_timeout(1000 * SECONDS)
        ages = picture_ages(frame.evaluate("() => window.glassToGlass"))[:, 1]
    assert len(ages) >= 20
    first, *_, last = np.array_split(ages, 4)
    # Where frames wait in a queue, these thirty seconds make the picture ten seconds older.
    assert np.median(last) < np.median(first) + 5000
    page.get_by_text("Settings").click()
    delay = page.locator("dl.stats > div", has_text="Server delay")
    expect(delay).to_contain_text(re.compile(r"\d+ ms"), timeout=PATIENCE)
