"""How files are found unusable, replaced and locked."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from paths import REPO

from utils.errors import ConfigError, OutputError
from utils.files import (
    check_folder,
    locked_folder,
    make_folder,
    replaced_file,
    unusable_reason,
)


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_text("x")
    os.mkfifo(pipe)
    assert unusable_reason(file) is None
    assert unusable_reason(tmp_path, "model file") == "is a folder, not a model file"
    assert unusable_reason(pipe) == unusable_reason(Path("/dev/zero")) == "is not a regular file"
    assert unusable_reason(tmp_path / "x", "model file") == "no such model file"
    assert unusable_reason(file / "x") == "no such file"
    assert unusable_reason(tmp_path / ("x" * 300)) == "can't be read (File name too long)"
    assert unusable_reason(tmp_path / "\0") == "can't be read (embedded null byte)"


@pytest.mark.parametrize("name", [".", "new", "new/er"])
def test_a_folder_may_be_missing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_folder(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    check_folder(Path(name))
    assert not list(tmp_path.iterdir()), "it only looks"


@pytest.mark.parametrize("name", ["file", "file/new", "file/new/er", "link"])
def test_a_file_is_no_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=f"{name}: .*is a file; name a folder"):
        check_folder(tmp_path / name)
    with pytest.raises(ConfigError, match="is a file"), locked_folder(tmp_path / name):
        pass


def test_a_folder_is_locked_while_it_is_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "er"
    with locked_folder(folder):
        with pytest.raises(OutputError, match="er: another run is writing to it"):
            locked_folder(folder).__enter__()
        with locked_folder(tmp_path / "other"):
            pass
    with locked_folder(folder):
        pass
    assert not list(folder.iterdir())


def test_a_file_that_is_not_completed_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_text("old")

    def write(text: str) -> None:
        with replaced_file(path) as part:
            assert part.name.startswith(".")
            part.write_text(text)
            if text == "broken":
                raise InterruptedError

    with pytest.raises(InterruptedError):
        write("broken")
    assert path.read_text() == "old"
    write("new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


def test_a_folder_with_too_long_a_name_is_explained(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        make_folder(tmp_path / ("x" * 300))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".pth"])
def test_a_disk_with_room_for_a_part_of_a_file_gets_none(suffix: str, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
import numpy as np
from utils.errors import OutputError
path = Path(sys.argv[1])
try:
    if path.suffix == ".pth":
        import torch
        from utils.model.plain_file import save_atomically
        save_atomically({"x": torch.zeros(9000)}, path)
    else:
        from utils.media.image_writer import save_image
        save_image(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), path)
except OutputError as error:
    print(error)
"""
    path = tmp_path / f"old{suffix}"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=REPO,
        env=os.environ | {"PYTHONPATH": str(REPO)},
        # The system then refuses to write more, as a full disk does.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{path}: can't be written (File too large)\n", done.stderr
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"
