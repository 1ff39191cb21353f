"""Markers of a recording: the keys, and a video that is shown meanwhile."""

from pathlib import Path

import pytest
from conftest import AppStarter, BrowserStarter, screenshot
from playwright.sync_api import expect

from backend.benchmarks.page.glass_to_glass import camera_switches
from utils.media.sessions import SessionStore

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 120_000
STREAMER = 'iframe[title*="webrtc_streamer"]'


def test_keys_and_a_video_become_markers(
    start_app: AppStarter,
    open_browser: BrowserStarter,
    camera_clip: Path,
    clip: Path,
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    address = start_app(EMOTION_DATABASE_URL=url)
    browser = open_browser(*camera_switches(camera_clip))
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_text("Marker keys").click()
    names = page.get_by_label("Markers of the keys")
    names.fill("baseline\nrating")
    names.press("Control+Enter")
    expect(page.get_by_role("button", name="rating")).to_be_visible(timeout=PATIENCE)
    page.get_by_text("Show a video").click()
    page.get_by_label("Video file").set_input_files(clip)
    page.frame_locator(STREAMER).get_by_role("button", name="START").click()
    page.locator(".face header").first.wait_for()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("frames saved")).to_be_visible(timeout=PATIENCE)
    # In a field, a digit is a digit.
    names.click()
    names.press("Control+End")
    names.press_sequentially(" 1")
    names.press("Control+Enter")
    expect(page.get_by_role("button", name="rating 1")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("heading", name="Live").click()
    page.keyboard.press("2")
    expect(page.get_by_text("Marked: rating 1")).to_be_visible(timeout=PATIENCE)
    # The video that was chosen before the recording is still there.
    player = page.locator("video[controls]")
    player.evaluate("video => video.play()")
    expect(page.get_by_text("Marked: clip.mp4 ends")).to_be_visible(timeout=PATIENCE)
    screenshot(page, "live-stimulus")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("to Sessions.")).to_be_visible(timeout=PATIENCE)
    store = SessionStore(url)
    (session,) = store.sessions()
    markers = store.markers(session.id)
    assert [marker.label for marker in markers] == ["rating 1", "clip.mp4 starts", "clip.mp4 ends"]
    _, start, end = (marker.time for marker in markers)
    assert 0 <= end - start < 60
