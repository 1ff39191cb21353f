"""Viewers of the live page in real browsers, who come, watch a while and go."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from backend.benchmarks.page.browser import open_browser, start_video, stop_video
from backend.benchmarks.soak.load import Tally

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_VISIT_SECONDS = 20.0
_LOOK_SECONDS = 1.0
_PICTURES = "() => window.glassToGlass.filter(([, , shown]) => shown !== null).length"


def keep_viewing(address: str, camera: Path, *, tally: Tally, until: float) -> None:
    """Visit the live page again and again until a moment of ``time.monotonic``; for one thread.

    Every other visit ends without STOP, as when a browser tab is closed.

    Args:
        address: Of the app.
        camera: What the browser's camera shows, by ``write_camera_file``.
        tally: Where pictures and errors are counted.
        until: When to stop.
    """
    from playwright.sync_api import Error

    with ExitStack() as stack:
        browser = stack.enter_context(open_browser(camera))
        says_goodbye = True
        while time.monotonic() < until:
            try:
                pictures = _visit(browser, address, until=until, says_goodbye=says_goodbye)
            except (Error, _NoVideoError) as error:
                tally.add(f"viewer: {str(error).splitlines()[0]}", error=True)
            else:
                tally.add("viewer: pictures", count=pictures)
            says_goodbye = not says_goodbye


def _visit(browser: "Browser", address: str, *, until: float, says_goodbye: bool) -> int:
    """Watch the page for a while; return how many pictures it showed.

    Raises:
        playwright.sync_api.Error: The page can't be used.
        _NoVideoError: It shows no video, or the video stands still.
    """
    from playwright.sync_api import TimeoutError as TimeIsUp

    page, state = browser.new_page(), "the video does not start"
    try:
        frame = start_video(page, address)
        state = "the video stands still"
        end = min(time.monotonic() + _VISIT_SECONDS, until)
        pictures: int = frame.evaluate(_PICTURES)
        while time.monotonic() < end:
            page.wait_for_timeout(1000 * _LOOK_SECONDS)
            frame.wait_for_function(f"(before) => ({_PICTURES})() > before", arg=pictures)
            pictures = frame.evaluate(_PICTURES)
        state = "the video does not stop"
        if says_goodbye:
            stop_video(page)
    except TimeIsUp as error:
        said = "; ".join(page.get_by_role("alert").all_inner_texts())
        raise _NoVideoError(f"{state} (the page says: {said or 'nothing'})") from error
    finally:
        page.close()
    return pictures


class _NoVideoError(Exception):
    """What a viewer missed."""
