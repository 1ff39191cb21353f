"""The service's own page and its documentation in a real browser."""

import re
from pathlib import Path

import pytest
from conftest import ARTIFACTS, BrowserStarter
from playwright.sync_api import Page, expect
from service_process import Service, ServiceStarter

from backend.benchmarks.page.glass_to_glass import camera_switches
from utils.emotions import EMOTIONS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
GRANT = "--use-fake-ui-for-media-stream"
FAKE = "--use-fake-device-for-media-stream"
PATIENCE = 60_000


def keep(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_shows_bars_for_the_camera(
    service: Service, open_browser: BrowserStarter, camera_clip: Path, width: int, scheme: str
) -> None:
    browser = open_browser(*camera_switches(camera_clip))
    page = browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(service.address)
    assert "apparent facial expressions" in page.inner_text("body")
    expect(page.locator("#faces")).to_contain_text("Each face gets a card")
    page.get_by_role("button", name="START").click()
    card = page.locator(".face").first
    expect(card).to_contain_text("Face 1", timeout=PATIENCE)
    expect(page.get_by_role("status").filter(has_text="1 face in view")).to_be_visible()
    expect(card.locator(".row")).to_have_count(len(EMOTIONS))
    assert tuple(card.locator(".row span").all_inner_texts()) == EMOTIONS
    expect(page.locator("#rate")).to_contain_text("results per second", timeout=PATIENCE)
    expect(page.locator("#hint")).to_be_hidden()
    page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    keep(page, f"client-{scheme}-{width}")
    page.get_by_role("button", name="STOP").click()
    expect(page.locator(".face:not(.idle)")).to_have_count(0)
    expect(page.get_by_text("The camera is off.")).to_be_visible()
    expect(page.get_by_role("button", name="START")).to_be_enabled()
    assert not problems


def test_the_page_asks_for_the_key(
    start_service: ServiceStarter, open_browser: BrowserStarter, camera_clip: Path
) -> None:
    service = start_service(EMOTION_API_KEY="a-key")
    browser = open_browser(*camera_switches(camera_clip))
    page = browser.new_page()
    page.goto(service.address)
    expect(page.locator("#key")).to_be_hidden()
    page.get_by_role("button", name="START").click()
    expect(page.locator("#state")).to_contain_text("key is missing", timeout=PATIENCE)
    page.locator("#key").fill("a-key")
    page.get_by_role("button", name="START").click()
    expect(page.locator(".face").first).to_contain_text("Face 1", timeout=PATIENCE)


def test_a_refused_camera_is_explained(service: Service, open_browser: BrowserStarter) -> None:
    page = open_browser(FAKE, "--deny-permission-prompts").new_page()
    page.goto(service.address)
    page.get_by_role("button", name="START").click()
    expect(page.locator("#state")).to_contain_text("may not use the camera", timeout=PATIENCE)


def test_a_missing_camera_is_explained(service: Service, open_browser: BrowserStarter) -> None:
    page = open_browser(GRANT).new_page()
    page.goto(service.address)
    page.get_by_role("button", name="START").click()
    expect(page.locator("#state")).to_contain_text("No camera found.", timeout=PATIENCE)
    keep(page, "client-no-camera")


def test_cards_keep_the_order_of_the_numbers_whatever_is_largest(
    service: Service, open_browser: BrowserStarter
) -> None:
    page = open_browser().new_page()
    page.goto(service.address)
    face = {"box": [0, 0, 9, 9], "emotion": "happy", "probabilities": {"happy": 1.0}}
    for order in ([2, 1, 3], [3, 2, 1]):
        faces = [face | {"track_id": number} for number in order]
        page.evaluate("(faces) => show({ frame: 1, age_ms: 9, result: { faces } })", faces)
        numbers = [title.split("\n")[0] for title in page.locator(".face h2").all_inner_texts()]
        assert numbers == ["Face 1", "Face 2", "Face 3"]


def test_one_of_several_cameras_can_be_chosen(
    service: Service, open_browser: BrowserStarter
) -> None:
    page = open_browser(GRANT, f"{FAKE}=device-count=2").new_page()
    page.goto(service.address)
    page.get_by_role("button", name="START").click()
    camera = page.locator("#camera")
    expect(camera).to_be_visible(timeout=PATIENCE)
    used = "() => stream && stream.getVideoTracks()[0].label"
    names = camera.locator("option").all_inner_texts()
    for name in (names[1], names[0]):
        camera.select_option(label=name)
        page.wait_for_function(f"(name) => ({used})() === name", arg=name, timeout=PATIENCE)
    expect(page.get_by_role("button", name="STOP")).to_be_enabled(timeout=PATIENCE)


def test_the_documentation_can_be_tried(
    service: Service, open_browser: BrowserStarter, astronaut_jpg: Path
) -> None:
    page = open_browser().new_page()
    foreign: list[str] = []
    page.on("request", lambda r: r.url.startswith(service.address) or foreign.append(r.url))
    page.goto(f"{service.address}/docs")
    block = page.locator("#operations-predict-predict_predict_post")
    block.click()
    block.locator("input[type=file]").set_input_files(astronaut_jpg)
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table")
    expect(answer).to_contain_text(re.compile('"emotion".*"happy"', re.DOTALL), timeout=PATIENCE)
    keep(page, "service-docs")
    assert not [url for url in foreign if not url.startswith(("data:", "blob:"))]
