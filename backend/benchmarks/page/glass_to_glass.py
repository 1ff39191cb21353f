"""How old the picture is that a page shows: a camera that counts its pictures, and their readers.

Along the lower edge of each camera picture stand 16 black or white cells: ten bits of its number
and six check bits, large enough to survive the video's compression and a smaller picture.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.benchmarks.clip import FPS, HEIGHT, WIDTH, Clip, frame_index
from utils.media.images import Image

# Runs in the page and fills its `glassToGlass` with samples.
SCRIPT = Path(__file__).with_suffix(".js")
# Pictures before the camera starts again, and the longest delay that is told apart from a picture
# that is newer than the last one that could be read from the camera.
PICTURES, LONGEST_DELAY = 30 * FPS, 20 * FPS
_CELLS, _CHECK_BITS = 16, 6
_JPEG_QUALITY = 85

# Milliseconds of the page's clock, number of the camera's picture, number of the picture shown; a
# number that can't be read is None.
Sample: TypeAlias = Sequence[float | None]


def camera_switches(path: Path) -> tuple[str, ...]:
    """Return the switches that let Chromium take a file for its camera, without asking."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    )


def write_camera_file(path: Path, clip: Clip) -> None:
    """Write what the camera shows over and over: JPEG pictures with a number in each.

    Args:
        path: The file, ending in ``.mjpeg``.
        clip: RGB uint8 frames of ``(480, 640, 3)``, at least two.
    """
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    with path.open("wb") as file:
        for number in range(PICTURES):
            picture = numbered(clip[frame_index(number, len(clip))], number)
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            file.write(cv2.imencode(".jpg", bgr, quality)[1].tobytes())


def numbered(image: Image, number: int) -> Image:
    """Return a picture with a number in the cells along its lower edge.

    Args:
        image: RGB uint8 ``(480, 640, 3)``; not changed.
        number: 0 to 1023.
    """
    check = (number ^ number >> 4) & (1 << _CHECK_BITS) - 1 ^ 0b101010
    bits = np.array([int(bit) for bit in f"{number << _CHECK_BITS | check:0{_CELLS}b}"], np.uint8)
    marked: Image = image.copy()
    marked[HEIGHT - HEIGHT // 15 :] = np.repeat(255 * bits, WIDTH // _CELLS)[None, :, None]
    return marked


def picture_ages(samples: Iterable[Sample]) -> NDArray[np.float64]:
    """Return how old the shown pictures were, as rows of page time and age in milliseconds.

    Args:
        samples: In the order of time. Those without a readable picture are left out, but count for
            the camera's clock; so are pictures newer than the last one read from the camera.
    """
    times: list[float] = []
    numbers: list[float] = []
    ages: list[tuple[float, float]] = []
    for time, camera, shown in samples:
        assert time is not None
        if camera is not None:
            # Counted on past the camera's new start.
            count = numbers[-1] + (camera - numbers[-1]) % PICTURES if numbers else camera
            if not numbers or count > numbers[-1]:
                times.append(time)
                numbers.append(count)
        if shown is not None and numbers:
            behind = (numbers[-1] - shown) % PICTURES
            if behind > LONGEST_DELAY:
                continue
            count = numbers[-1] - behind
            # Pictures that the camera showed between two samples lie between their times.
            if count >= numbers[0]:
                ages.append((time, time - float(np.interp(count, numbers, times))))
    return np.array(ages, np.float64).reshape(-1, 2)


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep the processor busy with other work."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
