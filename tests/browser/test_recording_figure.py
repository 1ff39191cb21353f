"""The figures of a recording beside its video: they show where it plays, and seek."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import AppStarter, BrowserStarter
from playwright.sync_api import Page, expect

from utils.media.video_writer import VideoWriter

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=60_000)
VIDEO = ".st-key-player video"
SERIOUS = ("serious", "critical")
IN_SIGHT = """video => {
    const { top, bottom } = video.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


@pytest.fixture
def page(start_app: AppStarter, open_browser: BrowserStarter, tmp_path: Path) -> Iterator[Page]:
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, 10) as video:
        for i in range(40):
            video.write(np.full((240, 320, 3), 5 * i, np.uint8), i / 10)
    address = start_app("tests/browser/figure_page.py", TEST_CLIP=str(clip))
    page = open_browser().new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    page.locator(".moments button").nth(1).wait_for()
    page.wait_for_function(f"document.querySelector('{VIDEO}').readyState >= 1")
    yield page
    assert not problems


def position(page: Page) -> float:
    return float(page.locator(VIDEO).evaluate("video => video.currentTime"))


def test_a_change_scrolls_to_the_video_and_plays_it(page: Page) -> None:
    page.locator(".moments button").last.click()
    page.wait_for_function(f"document.querySelector('{VIDEO}').currentTime > 1.3")
    assert page.locator(VIDEO).evaluate("video => !video.paused || video.ended")
    page.wait_for_function(f"({IN_SIGHT})(document.querySelector('{VIDEO}'))")
    heads = page.locator(".playhead").evaluate_all(
        "heads => heads.map(h => parseFloat(h.style.left))"
    )
    assert len(heads) == 4
    assert min(heads) > 25


def test_a_press_on_a_timeline_seeks(page: Page) -> None:
    plot = page.locator(".plot").last
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 30)
    assert position(page) == pytest.approx(1.0, abs=0.05)
    page.wait_for_function(f"({IN_SIGHT})(document.querySelector('{VIDEO}'))")
    assert page.locator(VIDEO).evaluate("video => video.paused")


def test_a_timeline_can_be_used_with_the_keyboard(page: Page) -> None:
    plot = page.get_by_role("slider", name="Over time: happy").first
    plot.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert position(page) == pytest.approx(2.0, abs=0.05)
    expect(plot).to_have_attribute("aria-valuetext", "0:02.0  surprise 16%, sad 16%, neutral 16%")
    assert plot.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Home")
    assert position(page) == 0


def test_the_playhead_follows_the_video(page: Page) -> None:
    page.locator(VIDEO).evaluate("video => { video.currentTime = 3 }")
    head = page.locator(".playhead").first
    page.wait_for_function("left => parseFloat(left.style.left) > 70", arg=head.element_handle())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_are_accessible(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.wait_for_timeout(1500)
    found = Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in found if f["impact"] in SERIOUS] == []
