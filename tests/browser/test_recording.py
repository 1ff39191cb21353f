"""The live page's recording, from the camera to the sessions page."""

import re
from pathlib import Path

import pytest
from conftest import AppStarter, BrowserStarter, screenshot
from playwright.sync_api import expect

from backend.benchmarks.page.glass_to_glass import camera_switches
from utils.media.sessions import SessionStore

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 60_000
STREAMER = 'iframe[title*="webrtc_streamer"]'


def test_a_recording_survives_a_reload(
    start_app: AppStarter, open_browser: BrowserStarter, camera_clip: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    address = start_app(EMOTION_DATABASE_URL=url)
    browser = open_browser(*camera_switches(camera_clip))
    page = browser.new_page(viewport={"width": 1280, "height": 1200})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    record = page.get_by_role("button", name="Record", exact=True)
    expect(record).to_be_disabled(timeout=PATIENCE)
    page.frame_locator(STREAMER).get_by_role("button", name="START").click()
    page.locator(".face header").first.wait_for()
    expect(page.get_by_role("switch", name="Mirror")).to_be_checked()
    for name in ("Hide faces", "Heat map"):
        page.get_by_text(name, exact=True).click()
    record.click()
    expect(page.get_by_text("frames saved")).to_be_visible(timeout=PATIENCE)
    field = page.get_by_placeholder("film starts", exact=True)
    for label in ("the film starts", "the film ends"):
        field.fill(label)
        page.get_by_role("button", name="Mark", exact=True).click()
        expect(page.get_by_text(f"Marked: {label}")).to_be_visible(timeout=PATIENCE)
        expect(field).to_have_value("")
    with page.expect_download() as started:
        page.get_by_role("button", name="Snapshot").click()
    assert Path(started.value.path()).read_bytes().startswith(b"\x89PNG")
    page.get_by_role("button", name="Set neutral face").click()
    expect(page.get_by_text("Change from the neutral face")).to_be_visible(timeout=PATIENCE)
    screenshot(page, "live-recording")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text(re.compile(r"Saved \d+ seconds to Sessions\."))).to_be_visible(
        timeout=PATIENCE
    )
    page.goto(f"{address}/sessions")
    page.get_by_placeholder("name or note").wait_for()
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible(timeout=PATIENCE)
    store = SessionStore(url)
    (session,) = store.sessions()
    assert session.name.startswith("Live, ")
    assert session.seconds > 8
    table = store.table(session)
    assert len(table) > 30
    assert table["p_happy"].max() > 0.5
    assert table["raw_happy"].notna().any()
    assert table["time"].diff().dropna().max() < 3
    labels = [marker.label for marker in store.markers(session.id)]
    assert labels == ["the film starts", "the film ends"]


def test_leaving_the_page_ends_the_recording_and_says_so(
    start_app: AppStarter, open_browser: BrowserStarter, camera_clip: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    address = start_app(EMOTION_DATABASE_URL=url)
    browser = open_browser(*camera_switches(camera_clip))
    page = browser.new_page(viewport={"width": 1280, "height": 1200})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.frame_locator(STREAMER).get_by_role("button", name="START").click()
    page.locator(".face header").first.wait_for()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("frames saved")).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(3000)
    page.get_by_role("link", name="About").click()
    expect(page.get_by_text("switched the camera off. The recording was saved")).to_be_visible(
        timeout=PATIENCE
    )
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_text("Leaving this page switched the camera off.")).to_be_visible(
        timeout=PATIENCE
    )
    expect(page.get_by_text("frames saved")).to_have_count(0)
    page.get_by_role("button", name="Open the recording").click()
    (session,) = SessionStore(url).sessions()
    expect(page.get_by_role("heading", name=session.name)).to_be_visible(timeout=PATIENCE)
