"""What an image will take in memory is told by its header."""

from pathlib import Path

import pytest
from corpus import make_bad, make_good

from utils.media.images import ImageMemory, load_image, memory_of


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_the_header_tells_the_memory(tmp_path: Path) -> None:
    for kind, entry in make_good(tmp_path).items():
        needed = memory_of(entry.path)
        assert needed.pixels == load_image(entry.path).nbytes, kind
        assert needed.decoding > needed.pixels, kind
        assert memory_of(entry.path.read_bytes()) == needed, kind


def test_what_is_refused_takes_no_memory(tmp_path: Path) -> None:
    bad = make_bad(tmp_path)
    for kind in ("missing", "a folder", "zero bytes", "text", "HEIC", "decompression bomb"):
        assert memory_of(bad[kind].path) == ImageMemory(0, 0), kind
    assert memory_of("nul\0byte.png") == memory_of(b"") == ImageMemory(0, 0)
