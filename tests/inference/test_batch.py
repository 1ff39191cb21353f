"""Many images: in order and complete, whatever memory they may take."""

from pathlib import Path

import pytest
from PIL import Image
from threads import run_at_once, wait_until

from utils.concurrency import MemoryBudget
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.batch import analyze_sources
from utils.media.sources import find_sources
from utils.results import Failure

SIDES = [300, 10, 10, 10, 200, 10, 10, 10, 10, 10, 10, 300, 300, 10]


@pytest.mark.parametrize("limit", [1, 10_000, 1_000_000, 2_000_000_000])
@pytest.mark.parametrize("workers", [0, 3])
def test_every_image_is_analysed_in_order(
    limit: int, workers: int, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.inference.batch._memory", MemoryBudget(limit))
    for number, side in enumerate(SIDES):
        Image.new("RGB", (side, side), "grey").save(tmp_path / f"{number:02d}.png")
    (tmp_path / "05.png").write_text("no image")
    analyzer = EmotionAnalyzer.load(tiny_checkpoint, detector="none")
    frames = list(analyze_sources(analyzer, find_sources([str(tmp_path)]), workers=workers))
    assert [Path(frame.source.name).stem for frame in frames] == [
        f"{number:02d}" for number in range(len(SIDES))
    ]
    assert [frame.image.shape[0] if frame.image is not None else None for frame in frames] == [
        None if number == 5 else side for number, side in enumerate(SIDES)
    ]
    assert isinstance(frames[5].outcome, Failure)


def test_images_that_are_not_wanted_any_more_are_left(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = MemoryBudget(100_000)
    monkeypatch.setattr("utils.inference.batch._memory", memory)
    for number in range(30):
        Image.new("RGB", (40, 40), "grey").save(tmp_path / f"{number:02d}.png")
    analyzer = EmotionAnalyzer.load(tiny_checkpoint, detector="none")
    frames = analyze_sources(analyzer, find_sources([str(tmp_path)]), workers=2)
    assert Path(next(frames).source.name).stem == "00"
    assert memory.in_use > 0
    frames.close()  # type: ignore[attr-defined]
    wait_until(lambda: memory.in_use == 0)
    assert list(frames) == []


def test_runs_at_once_share_the_memory(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = MemoryBudget(100_000)  # of some six of the images
    monkeypatch.setattr("utils.inference.batch._memory", memory)
    for number in range(20):
        Image.new("RGB", (40, 40), "grey").save(tmp_path / f"{number:02d}.png")
    analyzer = EmotionAnalyzer.load(tiny_checkpoint, detector="none")

    def run() -> int:
        frames = analyze_sources(analyzer, find_sources([str(tmp_path)]), workers=2)
        in_use = [memory.in_use for frame in frames]
        assert all(0 < size <= memory.limit for size in in_use)
        return len(in_use)

    assert run_at_once([run] * 4) == [20] * 4
    assert memory.in_use == 0
