"""Every page but the live one's video: upload, result, download, deletion, and how they look."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import AppStarter, BrowserStarter, screenshot, usage
from paths import REPO
from playwright.sync_api import Browser, Page, expect

from utils.emotions import EMOTIONS
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.video import analyze_video
from utils.media.sessions import SessionStore
from utils.media.video import VideoReader
from utils.media.video_writer import VideoWriter

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
PAGES = ("photo", "video", "batch", "sessions", "model", "about")


@pytest.fixture(scope="module")
def clip(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds: a face, nothing for more than a second, the face again."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with VideoWriter(path, 10) as video:
        for i in range(40):
            photo = np.roll(astronaut[:256, 96:416], i, axis=1)
            video.write(np.full_like(photo, 90) if 15 <= i < 30 else photo, i / 10)
    return path


@pytest.fixture(scope="module")
def database(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with two sessions."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'sessions.sqlite'}"
    store, analyzer = SessionStore(url), EmotionAnalyzer.load(min_face=40)
    with VideoReader(clip) as video:
        results = [result for _, result in analyze_video(analyzer, video)]
    for name in ("Morning", "Evening"):
        session_id = store.create(name, "live", model=analyzer.model_name, classes=analyzer.classes)
        store.append(session_id, results)
        store.mark(session_id, 1.0, label="the film starts")
    return url


@pytest.fixture(scope="module")
def site(start_app: AppStarter, database: str) -> str:
    return start_app(EMOTION_DATABASE_URL=database)


@pytest.fixture
def page(site: str, open_browser: BrowserStarter) -> Iterator[Page]:
    page = open_browser().new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert not problems


def upload(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(files)


def download(page: Page, name: str) -> bytes:
    with page.expect_download() as started:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(started.value.path()).read_bytes()


def test_a_photo_has_the_results_of_the_terminal(
    page: Page, site: str, astronaut_jpg: Path
) -> None:
    page.goto(f"{site}/photo")
    expect(page.get_by_text("No picture yet.")).to_be_visible()
    upload(page, astronaut_jpg)
    expect(page.locator(".face .top")).to_have_text("happy")
    command = [sys.executable, "backend/inference.py", str(astronaut_jpg), "--json"]
    told = json.loads(subprocess.run(command, cwd=REPO, capture_output=True, check=True).stdout)
    saved = json.loads(download(page, "Download JSON"))
    assert saved["faces"] == told["faces"]
    assert saved["image"] == astronaut_jpg.name
    assert download(page, "Download picture").startswith(b"\x89PNG")
    assert b"astronaut.jpg" in download(page, "Download CSV")


def test_one_bad_photo_does_not_spoil_the_others(
    page: Page, site: str, astronaut_jpg: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(astronaut_jpg.read_bytes()[:3000])
    page.goto(f"{site}/photo")
    upload(page, tmp_path / "broken.jpg", astronaut_jpg)
    expect(page.get_by_role("alert")).to_contain_text("broken.jpg is damaged")
    expect(page.locator(".face .top")).to_have_text("happy")


def test_samples_faces_and_explanations(page: Page, site: str) -> None:
    page.goto(f"{site}/photo")
    page.get_by_text("Samples", exact=True).click()
    page.get_by_text("Two faces", exact=True).click()
    expect(page.get_by_text("2 faces")).to_be_visible()
    chosen = page.locator(".face header b")
    page.get_by_role("button", name="Face 2: happy").click()
    expect(chosen).to_have_text("Face 2")
    expect(page.get_by_role("button", name="Face 2: happy")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="Face 1: happy").press("Enter")
    expect(chosen).to_have_text("Face 1")
    page.get_by_role("radio", name="2").click()
    expect(chosen).to_have_text("Face 2")
    page.get_by_text("Show a heat map (Grad-CAM)").click()
    expect(page.get_by_text("What speaks for happy")).to_be_visible()
    screenshot(page, "photo-heat")
    page.get_by_text("Too dark", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("too dark")


def test_a_video_to_its_end(page: Page, site: str, clip: Path) -> None:
    page.goto(f"{site}/video")
    page.get_by_role("button", name="Analyse the video").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a video")
    upload(page, clip)
    page.get_by_text("clip.mp4").wait_for()
    page.get_by_role("button", name="Analyse the video").click()
    expect(page.get_by_text("2 faces in clip.mp4")).to_be_visible()
    expect(page.locator("video")).to_have_count(1)
    expect(page.locator(".legend")).to_contain_text("no face")
    screenshot(page, "video-result")
    lines = download(page, "Download CSV").decode().splitlines()
    assert len(lines) == 41
    assert sum("no_face" in line for line in lines) >= 8
    assert download(page, "Download video")[4:8] == b"ftyp"
    page.get_by_role("button", name="Save to Sessions").click()
    link = page.get_by_role("link", name="Open the session")
    expect(link).to_be_visible()
    page.goto(f"{site}/{link.get_attribute('href')}")
    expect(page.get_by_role("heading", name="clip.mp4")).to_be_visible()


def test_a_bad_video_is_explained(page: Page, site: str, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    page.goto(f"{site}/video")
    upload(page, tmp_path / "bad.mp4")
    page.get_by_text("bad.mp4").wait_for()
    page.get_by_role("button", name="Analyse the video").click()
    expect(page.get_by_role("alert")).to_contain_text("bad.mp4: can't be opened as a video")
    page.get_by_role("button", name="Another video").click()
    expect(page.get_by_text("No video yet.")).to_be_visible()


def test_a_batch_to_its_end(page: Page, site: str, astronaut_jpg: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for i in range(5):
            archive.write(astronaut_jpg, f"folder/{i}.jpg")
        archive.writestr("broken.png", b"no picture")
        archive.writestr("notes.txt", b"not counted")
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    page.goto(f"{site}/batch")
    upload(page, tmp_path / "photos.zip", tmp_path / "bad.zip", astronaut_jpg)
    page.get_by_text("bad.zip").wait_for()
    page.get_by_role("button", name="Analyse the pictures").click()
    expect(page.get_by_text("8 pictures, 6 faces", exact=True)).to_be_visible()
    expect(page.get_by_text("6 of 6 faces")).to_be_visible()
    expect(page.get_by_text("Failed pictures (2)")).to_be_visible()
    page.get_by_text("Failed pictures (2)").click()
    expect(page.get_by_text("bad.zip: is damaged or not a zip archive")).to_be_visible()
    screenshot(page, "batch-result")
    lines = download(page, "Download CSV").decode().splitlines()
    assert len(lines) == 9
    choose(page, 0)
    expect(page.get_by_role("heading", name="folder/0.jpg")).to_be_visible()
    expect(page.get_by_role("button", name="Face 1: happy")).to_be_visible()
    page.get_by_role("button", name="sad", exact=True).click()
    expect(page.get_by_text("The filters don't apply to them.")).to_be_visible()
    expect(page.get_by_text("0 of 6 faces")).to_be_visible()


def choose(page: Page, row: int) -> None:
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 52 + 35 * row)


def test_sessions_are_shown_compared_and_deleted(page: Page, site: str, database: str) -> None:
    page.goto(f"{site}/sessions")
    page.get_by_placeholder("name or note").fill("ning")
    page.get_by_placeholder("name or note").press("Enter")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    page.wait_for_timeout(1500)
    choose(page, 0)
    expect(page.get_by_role("heading", name="Evening")).to_be_visible()
    expect(page.get_by_text("the film starts").first).to_be_visible()
    screenshot(page, "session")
    table = pd.read_csv(pd.io.common.BytesIO(download(page, "Download CSV")))
    assert set(table["emotion"].dropna()) <= set(EMOTIONS)
    assert len(table) == 40
    assert table["marker"].dropna().tolist() == ["the film starts"]
    assert json.loads(download(page, "Download JSON"))["markers"] == [
        {"time": 1.0, "label": "the film starts"}
    ]
    assert b"not what a person feels" in download(page, "Download report")
    page.get_by_role("button", name="Name and note").click()
    page.get_by_label("Name", exact=True).fill("Evening, once more")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Evening, once more")).to_be_visible()
    choose(page, 1)
    expect(page.get_by_role("heading", name="Comparison")).to_be_visible()
    choose(page, 1)
    expect(page.get_by_role("heading", name="Evening, once more")).to_be_visible()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_text("“Evening, once more” and its markers")).to_be_visible()
    page.get_by_role("button", name="Delete the session").click()
    expect(page.get_by_role("heading", name="Evening, once more")).to_have_count(0)
    expect(page.get_by_role("heading", level=2)).to_have_count(0)
    assert "Evening, once more" not in {s.name for s in SessionStore(database).sessions()}
    assert "Morning" in {s.name for s in SessionStore(database).sessions()}


def test_an_unreachable_database_is_explained(
    start_app: AppStarter, open_browser: BrowserStarter
) -> None:
    address = start_app(EMOTION_DATABASE_URL="sqlite:////proc/nowhere/a.sqlite")
    page = open_browser().new_page()
    page.goto(f"{address}/sessions")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("/proc/nowhere/a.sqlite) can't be used", timeout=PATIENCE)
    expect(alert).to_contain_text("The other pages work without it.")


def test_the_model_and_its_playground(page: Page, site: str) -> None:
    page.goto(f"{site}/model")
    expect(page.get_by_text("84.6%").first).to_be_visible()
    page.get_by_role("tab", name="Try to fool it").click()
    expect(page.locator(".face .top")).to_have_text("happy")
    slider = page.get_by_role("slider", name="Light")
    slider.focus()
    for _ in range(19):
        slider.press("ArrowLeft")
    expect(page.locator(".face .top")).to_contain_text("too dark")
    page.get_by_role("tab", name="Other architectures").click()
    expect(page.get_by_text("milliseconds per face").first).to_be_visible()


def test_twenty_pages_leave_nothing_behind(site: str, open_browser: BrowserStarter) -> None:
    browser: Browser = open_browser()

    def visit(times: int) -> None:
        for i in range(times):
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(f"{site}/{PAGES[i % len(PAGES)]}")
            page.get_by_role("heading", level=1).wait_for()
            page.wait_for_timeout(500)
            page.close()

    visit(12)
    threads, memory = usage(site)
    visit(20)
    more_threads, more_memory = usage(site)
    assert more_threads <= threads + 4
    assert more_memory - memory < 60


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_every_page_fits_and_has_a_title(
    site: str, open_browser: BrowserStarter, width: int, scheme: str
) -> None:
    browser: Browser = open_browser()
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page.set_default_timeout(PATIENCE)
    for name in PAGES:
        page.goto(f"{site}/{name}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(800)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
        screenshot(page, f"{name}-{scheme}-{width}")
