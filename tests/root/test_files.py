"""How files are found unusable, replaced and locked."""

import os
from pathlib import Path

import pytest

from utils.errors import ConfigError, OutputError
from utils.files import check_folder, locked_folder, replaced_file, unusable_reason


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_text("x")
    os.mkfifo(pipe)
    assert unusable_reason(file) is None
    assert unusable_reason(tmp_path, "model file") == "is a folder, not a model file"
    assert unusable_reason(pipe) == unusable_reason(Path("/dev/zero")) == "is not a regular file"
    assert unusable_reason(tmp_path / "x", "model file") == "no such model file"
    assert unusable_reason(file / "x") == "no such file"


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
