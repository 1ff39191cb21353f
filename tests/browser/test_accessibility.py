"""No page has a serious accessibility problem, in either theme: axe-core looks at each state."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import BrowserStarter
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
# A photo to upload, then what is to be seen.
State = Callable[[Page, Path], None]


def opened(page: Page, photo: Path) -> None:
    page.get_by_role("heading", level=1).wait_for()


def with_photo(page: Page, photo: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_text("Show a heat map").click()
    page.get_by_text("What speaks for").wait_for()


def with_bad_photo(page: Page, photo: Path) -> None:
    bad = {"name": "bad.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    page.locator("input[type=file]").first.set_input_files([bad])  # type: ignore[list-item]
    page.get_by_role("alert").wait_for()


def with_batch(page: Page, photo: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_text(photo.name).wait_for()
    page.get_by_role("button", name="Analyse the pictures").click()
    page.get_by_text("1 of 1 face").wait_for()


def tab(name: str) -> State:
    def open_tab(page: Page, photo: Path) -> None:
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(1500)

    return open_tab


STATES: list[tuple[str, State]] = [
    *((name, opened) for name in ("", "photo", "video", "batch", "sessions", "model", "about")),
    ("photo", with_photo),
    ("photo", with_bad_photo),
    ("batch", with_batch),
    *(("model", tab(name)) for name in ("Try to fool it", "Other architectures", "Model card")),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding(
    app: str, open_browser: BrowserStarter, astronaut_jpg: Path, scheme: str
) -> None:
    page = open_browser().new_page(
        viewport={"width": 1280, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page.set_default_timeout(PATIENCE)
    serious = []
    for name, prepare in STATES:
        page.goto(f"{app}/{name}")
        prepare(page, astronaut_jpg)
        page.wait_for_timeout(1500)  # what fades in has its colours then
        for found in Axe().run(page).response["violations"]:
            if found["impact"] in ("serious", "critical"):
                serious += [(name, found["id"], node["html"][:200]) for node in found["nodes"]]
    assert not serious
