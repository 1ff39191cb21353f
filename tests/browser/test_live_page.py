"""The live page in a real browser with a fake camera that shows a real face."""

import re
from pathlib import Path

import pytest
from conftest import AppStarter, BrowserStarter, screenshot, usage
from playwright.sync_api import Browser, Page, expect

from backend.benchmarks.page.glass_to_glass import camera_switches
from utils.emotions import EMOTIONS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STREAMER = 'iframe[title*="webrtc_streamer"]'
GRANT = "--use-fake-ui-for-media-stream"
FAKE = "--use-fake-device-for-media-stream"
# The first result needs the model and the connection, on a machine that may be busy.
PATIENCE = 120_000


# As behind a firewall that admits nothing but a TURN server, without one.
RELAY_ONLY = """
    const Direct = RTCPeerConnection;
    window.RTCPeerConnection = class extends Direct {
        constructor(configuration) {
            super({ ...configuration, iceTransportPolicy: "relay" });
        }
    };
"""


def open_page(browser: Browser, address: str, script: str = "", **options: object) -> Page:
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    page.add_init_script(script)
    page.goto(address)
    expect(page.get_by_role("heading", name="Live")).to_be_visible(timeout=PATIENCE)
    return page


def press(page: Page, name: str) -> None:
    page.frame_locator(STREAMER).get_by_role("button", name=name, exact=True).click(
        timeout=PATIENCE
    )


def status(page: Page, sentence: str) -> None:
    expect(page.get_by_role("status").filter(has_text=sentence)).to_be_visible(timeout=PATIENCE)


def take_photo(page: Page) -> None:
    # Before the camera's first frame the button can be pressed but does nothing.
    page.wait_for_function(
        "() => [...document.querySelectorAll('video')].some((video) => video.videoWidth > 0)",
        timeout=PATIENCE,
    )
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_role("button", name="Clear photo")).to_be_visible(timeout=PATIENCE)


def values(page: Page) -> dict[str, int]:
    """Wait for a face and return the percentages that the first face's bars show."""
    return page.wait_for_function(
        """() => {
            const bars = document.querySelectorAll('.face[aria-label]:first-child [role=meter]');
            return bars.length && Object.fromEntries([...bars].map((bar) =>
                [bar.getAttribute('aria-label'), Number(bar.getAttribute('aria-valuenow'))]));
        }""",
        timeout=PATIENCE,
    ).json_value()


def test_start_shows_a_face_with_live_bars_and_stop_releases_the_camera(
    app: str, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    page = open_page(open_browser(*camera_switches(camera_clip)), app)
    expect(page.get_by_text("apparent facial expressions")).to_be_visible()
    status(page, "The camera is off.")
    controls = page.get_by_role("button", name="Record", exact=True)
    expect(controls).to_be_disabled()
    below = """button => button.getBoundingClientRect().y
        - document.querySelector('h1').getBoundingClientRect().y"""
    place = controls.evaluate(below)
    press(page, "Start")
    expect(page.get_by_text("Connecting…").first).to_be_visible(timeout=PATIENCE)
    status(page, "1 face in view")
    bars = page.locator(".face[aria-label] [role=meter]")
    expect(bars).to_have_count(3, timeout=PATIENCE)
    page.get_by_text("All bars", exact=True).click()
    expect(bars).to_have_count(7, timeout=PATIENCE)
    assert controls.evaluate(below) == pytest.approx(place, abs=2), "nothing has moved them"
    expect(page.frame_locator(STREAMER).get_by_label("Your camera's video")).to_be_visible()
    first = values(page)
    assert tuple(first) == EMOTIONS
    assert sum(first.values()) == pytest.approx(100, abs=4)
    seen = {tuple(first.values())}
    for _ in range(PATIENCE // 500):
        page.wait_for_timeout(500)
        seen.add(tuple(values(page).values()))
        if len(seen) == 5:
            break
    assert len(seen) == 5
    timelines = page.get_by_text(re.compile(r"Face \d+, the last 30 seconds"))
    expect(timelines.first).to_be_visible()
    expect(page.locator(".legend")).to_contain_text("surprise")
    page.get_by_text("Settings").click()
    expect(page.locator("dl.stats")).to_contain_text("fps", timeout=PATIENCE)
    screenshot(page, "live-light")
    press(page, "Stop")
    status(page, "The camera is off.")
    expect(page.locator(".faces.idle [role=meter]")).to_have_count(7)
    expect(page.locator("dl.stats")).not_to_contain_text(re.compile(r"\d"), timeout=PATIENCE)
    press(page, "Start")
    status(page, "1 face in view")


def calm(page: Page, address: str) -> tuple[int, float]:
    """Wait until the number of the server's threads stops falling; return its usage."""
    least = usage(address)[0]
    for _ in range(10):
        page.wait_for_timeout(1000)
        if (now := usage(address)[0]) >= least:
            break
        least = now
    return usage(address)


def test_ten_starts_and_stops_leave_nothing_behind(
    app: str, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    page = open_page(open_browser(*camera_switches(camera_clip)), app)
    counts = []
    for _ in range(13):
        press(page, "Start")
        status(page, "1 face in view")
        press(page, "Stop")
        status(page, "The camera is off.")
        counts.append(calm(page, app))
    threads, memory = zip(*counts, strict=True)
    # The first times fill pools and heaps. One thread more or less is a pool's; one thread, or some
    # of the camera's pictures, left over from each start would be ten times as much.
    assert threads[-1] <= max(threads[:3]) + 1
    assert memory[-1] < memory[2] + 60


def test_two_tabs_are_live_at_once(
    app: str, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    browser = open_browser(*camera_switches(camera_clip))
    pages = [open_page(browser, app) for _ in range(2)]
    for page in pages:
        press(page, "Start")
    for page in pages:
        status(page, "1 face in view")
    for page in pages:
        before = values(page)
        page.wait_for_function(
            """(old) => [...document.querySelectorAll('.face [role=meter]')].some((bar) =>
                old[bar.getAttribute('aria-label')] !== Number(bar.getAttribute('aria-valuenow')))
            """,
            arg=before,
            timeout=PATIENCE,
        )


def test_one_viewer_too_many_is_asked_to_wait(
    start_app: AppStarter, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    browser, address = (
        open_browser(*camera_switches(camera_clip)),
        start_app(EMOTION_MAX_STREAMS="1"),
    )
    first, second = (open_page(browser, address) for _ in range(2))
    press(first, "Start")
    status(first, "1 face in view")
    press(second, "Start")
    expect(second.get_by_text("reached its limit of live videos")).to_be_visible(timeout=PATIENCE)
    press(first, "Stop")
    status(second, "1 face in view")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_telephone_and_both_colour_schemes(
    app: str, camera_clip: Path, open_browser: BrowserStarter, scheme: str
) -> None:
    browser = open_browser(*camera_switches(camera_clip))
    page = open_page(browser, app, color_scheme=scheme, viewport={"width": 390, "height": 844})
    press(page, "Start")
    status(page, "1 face in view")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    screenshot(page, f"live-390-{scheme}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_timeout(1500)
    screenshot(page, f"live-wide-{scheme}")


def test_settings_change_while_the_video_runs(
    app: str, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    page = open_page(open_browser(*camera_switches(camera_clip)), app)
    press(page, "Start")
    status(page, "1 face in view")
    page.get_by_text("Settings").click()
    page.get_by_text("haar", exact=True).click()
    expect(page.get_by_role("radio", name="haar")).to_be_checked()
    slider = page.get_by_role("slider", name=re.compile("Nth frame"))
    slider.focus()
    for value in (3, 4, 5, 6):
        page.keyboard.press("ArrowRight")
        expect(slider).to_have_value(str(value))
        page.wait_for_timeout(1200)
    # Every sixth of thirty frames.
    expect(page.locator("dl.stats")).to_contain_text(
        re.compile(r"Analysed\s*[45]\.\d"), timeout=PATIENCE
    )
    page.get_by_text("Snapshots", exact=True).click()
    page.get_by_text("Live video", exact=True).click()
    page.get_by_text("Settings").click()
    expect(slider).to_have_value("6")
    press(page, "Start")
    status(page, "in view")
    expect(
        page.frame_locator(STREAMER).get_by_role("button", name="Stop", exact=True)
    ).to_be_visible()


def test_snapshots_work_without_a_video_connection(
    app: str, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    page = open_page(open_browser(*camera_switches(camera_clip)), app)
    page.get_by_text("Snapshots", exact=True).click()
    take_photo(page)
    status(page, "1 face")
    assert tuple(values(page)) == EMOTIONS
    expect(page.get_by_label("Face 1", exact=True)).to_be_visible()
    expect(page.locator("[data-testid=stImage] img")).to_be_visible()
    screenshot(page, "live-snapshot")


def test_a_blocked_connection_is_explained_with_an_alternative(
    app: str, camera_clip: Path, open_browser: BrowserStarter
) -> None:
    page = open_page(open_browser(*camera_switches(camera_clip)), app, script=RELAY_ONLY)
    press(page, "Start")
    message = page.get_by_text("The video connection failed.")
    expect(message).to_be_visible(timeout=PATIENCE)
    screenshot(page, "live-blocked")
    page.get_by_role("button", name="Use snapshots instead").click()
    take_photo(page)
    status(page, "1 face")


def test_a_refused_camera_is_explained(app: str, open_browser: BrowserStarter) -> None:
    browser = open_browser(FAKE, "--deny-permission-prompts")
    page = open_page(browser, app)
    press(page, "Start")
    expect(page.get_by_text("The browser may not use the camera.")).to_be_visible(timeout=PATIENCE)
    screenshot(page, "live-refused")


def test_a_missing_camera_is_explained(app: str, open_browser: BrowserStarter) -> None:
    page = open_page(open_browser(GRANT), app)
    expect(page.get_by_text("No camera found.")).to_be_visible(timeout=PATIENCE)


def test_a_missing_model_file_is_explained(
    start_app: AppStarter, open_browser: BrowserStarter, tmp_path: Path
) -> None:
    missing = tmp_path / "gone.pth"
    page = open_page(open_browser(), start_app(EMOTION_MODEL=str(missing)))
    expect(page.get_by_role("alert").filter(has_text="gone.pth")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(STREAMER)).to_have_count(0)
    screenshot(page, "live-no-model")
