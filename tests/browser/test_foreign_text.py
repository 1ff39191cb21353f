"""Hostile names of sessions, markers and files are shown as text; nothing elsewhere is fetched."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import AppStarter, BrowserStarter
from hostile_names import HOSTILE_MARKDOWN
from paths import REPO
from playwright.sync_api import FilePayload, Page, expect

from frontend.text import visible
from utils.media.sessions import SessionStore

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 60_000
IMAGE = "![a](http://elsewhere.test/a.png)"
# In a file's name, which has no slashes; browsers take a backslash in an address for one.
FILE = "![a](http:\\\\elsewhere.test\\a.png) :red[b] $c$__.jpg"
MARKUP = "a, b, em, strong, del, code, img, li, hr, h1, h2, blockquote, .katex, [style*=color]"
JOINER = "\u2060"


@pytest.fixture
def page(open_browser: BrowserStarter) -> Iterator[Page]:
    """A page whose requests all go to this machine."""
    page = open_browser().new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    yield page
    assert {urlsplit(address).hostname for address in addresses} <= {"127.0.0.1", None}


@pytest.fixture(scope="module")
def address(start_app: AppStarter, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The app, with a session and a marker whose names are Markdown."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'sessions.sqlite'}"
    store = SessionStore(url)
    session = store.create(IMAGE, "live", model="m", classes=("a", IMAGE))
    store.mark(session, 1.0, label=f"{IMAGE} <b>now</b>")
    return start_app(EMOTION_DATABASE_URL=url)


def test_every_hostile_name_is_shown_as_text(start_app: AppStarter, page: Page) -> None:
    page.goto(
        start_app(
            script="tests/browser/foreign_text_page.py",
            PYTHONPATH=f"{REPO}:{REPO / 'tests' / 'helpers'}",
            STREAMLIT_BROWSER_GATHER_USAGE_STATS="false",
        )
    )
    page.get_by_role("heading", name="Complete").wait_for()
    for number, name in enumerate(HOSTILE_MARKDOWN):
        for place, element in (
            ("message", "[role=alert]"),
            ("button", "button"),
            ("cell", "td"),
            ("choice", "button"),
        ):
            shown = page.locator(f".st-key-{place}-{number} {element}").first
            text = shown.locator("[data-testid=stMarkdownContainer]").first
            assert text.inner_text().replace(JOINER, "").strip() == visible(name), place
            assert text.locator(MARKUP).count() == 0, (place, name)


def test_names_of_sessions_and_markers_are_text(address: str, page: Page) -> None:
    page.goto(f"{address}/sessions")
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for()
    page.wait_for_timeout(1500)
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 52)
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_contain_text("![a](http", timeout=PATIENCE)
    expect(page.locator("td").last).to_contain_text("<b>now</b>", timeout=PATIENCE)
    assert page.locator("h2 img, td img, td b").count() == 0


def test_names_of_files_are_text(address: str, page: Page, astronaut_jpg: Path) -> None:
    photo = FilePayload(name=FILE, mimeType="image/jpeg", buffer=astronaut_jpg.read_bytes())
    broken = FilePayload(name=f"broken {FILE}", mimeType="image/jpeg", buffer=b"no picture")
    page.goto(f"{address}/photo")
    page.locator("input[type=file]").first.set_input_files([photo, broken])
    expect(page.get_by_role("alert")).to_contain_text("broken ![a](http", timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_contain_text(":red[b] $c$__.jpg")
    expect(page.locator(".face .top")).to_have_text("happy", timeout=PATIENCE)


def test_names_in_archives_are_text(address: str, page: Page) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr(f"{IMAGE}.png", b"no picture")
    payload = FilePayload(name="a.zip", mimeType="application/zip", buffer=archive.getvalue())
    page.goto(f"{address}/batch")
    page.locator("input[type=file]").first.set_input_files([payload])
    page.get_by_text("a.zip").first.wait_for()
    page.get_by_role("button", name="Analyse the pictures").click()
    page.get_by_text("Failed pictures (1)").click()
    expect(page.locator("td").first).to_contain_text("![a](http", timeout=PATIENCE)
    assert page.locator("td img").count() == 0
