"""Videos that are damaged or made to do harm: an error that names them, never another exception."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from clips import growing_frames, latin_1_title, unknown_codec, write_clip

from utils.errors import EmotionError, TooLargeError, VideoError
from utils.media.video import VideoReader
from utils.memory import memory_mb


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    path = unknown_codec(tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match=r"clip\.mp4: has an unknown codec"):
        VideoReader(path)


def test_metadata_in_any_encoding_is_no_obstacle(tmp_path: Path) -> None:
    with VideoReader(latin_1_title(tmp_path / "clip.avi")) as video:
        assert len(list(video)) == 5
        assert video.problem is None


def test_every_frame_is_held_to_the_limit_not_only_the_header(tmp_path: Path) -> None:
    path = growing_frames(tmp_path / "clip.mjpeg", [64, 64, 64, 7000, 7000])
    before, sides = memory_mb(peak=True), []
    with VideoReader(path, max_pixels=1_000_000) as video:
        assert video.size == (64, 64)
        try:
            sides += [frame.image.shape[0] for frame in video]
            problem = video.problem
        except VideoError as error:  # with several threads, before the first frame is delivered
            problem = str(error)
    assert "more than 1 megapixels" in str(problem)
    assert set(sides) <= {64}
    if before is not None:
        assert memory_mb(peak=True) < before + 70, "one such frame has 147 MB in RGB"
    with pytest.raises(TooLargeError, match=r"64 x 64 pixels; the limit is 0\.001 megapixels"):
        VideoReader(path, max_pixels=1000)


def test_a_pipe_is_not_called_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match=r"pipe\.mp4: is not a regular file"):
        VideoReader(tmp_path / "pipe.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_mutated_videos_are_read_or_refused(suffix: str, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(1), tmp_path / f"clip{suffix}"
    noise = rng.integers(0, 255, (4, 48, 48, 3), np.uint8)
    whole = write_clip(path, list(noise), [0.0, 0.1, 0.2, 0.3], sound=True).read_bytes()
    for _ in range(40):
        data = np.frombuffer(whole, np.uint8).copy()
        # Mostly in the headers, which are short.
        ends = np.concatenate([np.arange(800), np.arange(len(data) - 2500, len(data))])
        spots = rng.choice(ends, rng.integers(1, 9))
        data[spots] = rng.integers(0, 256, len(spots))
        path.write_bytes(data.tobytes())
        with suppress(EmotionError), VideoReader(path, max_pixels=10_000) as video:
            for number, _ in enumerate(video):
                if number > 50:
                    break
