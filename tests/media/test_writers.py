"""Result files are opened in a known format."""

from pathlib import Path

import pytest

from utils.errors import ConfigError
from utils.media.tables.writers import FORMATS, open_writer


def test_an_unknown_format_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"unknown format 'xml'; use one of {', '.join(FORMATS)}"):
        open_writer(tmp_path / "faces.xml", "xml", classes=("happy", "sad"))
    assert not any(tmp_path.iterdir())
