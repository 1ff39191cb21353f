"""How old the live page's picture is: ``python backend/benchmark.py --page``.

A real Chromium opens the page with a camera that counts its pictures. Browser, camera, server and
inference share this computer.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.benchmarks.clip import example_clip
from backend.benchmarks.page.browser import open_browser, running_app, start_video
from backend.benchmarks.page.config import BenchmarkPageConfig
from backend.benchmarks.page.glass_to_glass import (
    busy_processes,
    picture_ages,
    write_camera_file,
)
from backend.benchmarks.result import BenchmarkResult
from utils.errors import ConfigError

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

# The model, the connection and the encoders take their time at first.
_WARM_UP_SECONDS = 10.0
# 95th percentile, with and without other work for the processor; growth is the trend of all ages.
_LIMIT_MS, _BUSY_LIMIT_MS, _LIMIT_MS_PER_MINUTE = 300.0, 800.0, 30.0


@dataclass(frozen=True)
class PageBenchmark(BenchmarkResult):
    """How old the picture on the live page is.

    Attributes:
        seconds: How long it was watched.
        busy: Other processes that kept the processor busy.
        pictures_per_second: Different pictures shown.
        delay_p50_ms: Median age of the picture shown, since the browser had it from the camera.
        delay_p95_ms: Its 95th percentile.
        growth_ms_per_minute: The trend of the ages.
        limit_p95_ms: The highest acceptable 95th percentile.
        limit_growth_ms_per_minute: The highest acceptable trend.
        within_limits: Whether neither limit is exceeded.
    """

    seconds: float
    busy: int
    pictures_per_second: float
    delay_p50_ms: float
    delay_p95_ms: float
    growth_ms_per_minute: float
    limit_p95_ms: float
    limit_growth_ms_per_minute: float
    within_limits: bool

    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a JSON document."""
        return asdict(self)


def benchmark_page(config: BenchmarkPageConfig) -> PageBenchmark:
    """Watch the live page.

    Raises:
        ConfigError: There is no Chromium, no scikit-image for the camera's photo, or the page shows
            no video.
    """
    from playwright.sync_api import Error

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_camera_file(folder / "camera.mjpeg", example_clip(faces=1))
        address, _ = stack.enter_context(running_app(config.model))
        browser = stack.enter_context(open_browser(folder / "camera.mjpeg"))
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            frame = start_video(page, address)
            stack.enter_context(busy_processes(config.busy))
            ages = _watch(page, frame, seconds=config.seconds)
        except Error as error:
            raise ConfigError(f"the page shows no video: {error.message}") from error
    return _summarize(ages, config)


def _watch(page: "Page", frame: "Frame", *, seconds: float) -> NDArray[np.float64]:
    page.wait_for_timeout(1000 * _WARM_UP_SECONDS)
    begin: float = frame.evaluate("() => performance.now()")
    page.wait_for_timeout(1000 * seconds)
    # The camera's numbers of the warm-up tell the age of pictures from that time.
    ages = picture_ages(frame.evaluate("() => window.glassToGlass"))
    return ages[ages[:, 0] >= begin]


def _summarize(ages: NDArray[np.float64], config: BenchmarkPageConfig) -> PageBenchmark:
    if len(ages) < 2:
        raise ConfigError("the page shows no video whose numbers can be read")
    times, delays = ages[:, 0], ages[:, 1]
    p50, p95 = np.percentile(delays, (50, 95))
    growth = 60_000 * np.polyfit(times, delays, 1)[0]
    changes = np.diff(times - delays) > 1  # a picture that the camera showed later
    limit = _BUSY_LIMIT_MS if config.busy else _LIMIT_MS
    return PageBenchmark(
        seconds=config.seconds,
        busy=config.busy,
        pictures_per_second=round(float(np.count_nonzero(changes)) / config.seconds, 1),
        delay_p50_ms=round(float(p50)),
        delay_p95_ms=round(float(p95)),
        growth_ms_per_minute=round(float(growth), 1),
        limit_p95_ms=limit,
        limit_growth_ms_per_minute=_LIMIT_MS_PER_MINUTE,
        within_limits=bool(p95 <= limit and growth <= _LIMIT_MS_PER_MINUTE),
    )
