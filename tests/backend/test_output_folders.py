"""Every program that writes into a folder says so if a file is in the way."""

from pathlib import Path

import pytest
from dataset_files import image_folder, write_files
from programs import run_program


@pytest.mark.parametrize(
    ("program", "options"),
    [
        ("export", []),
        ("explain", ["photo.jpg"]),
        ("explain", ["--data", "data"]),
        ("measurements/convert_mtcnn", []),
        ("prepare", ["data", "--quiet"]),
        ("prepare", ["--faces", "data", "--quiet"]),
        ("soup", ["a.pth", "b.pth"]),
        ("train", ["--data", "data"]),
        ("evaluate", ["--data", "data"]),
    ],
)
def test_a_file_where_a_folder_is_expected(
    program: str, options: list[str], tmp_path: Path
) -> None:
    write_files(tmp_path / "data", image_folder())
    (tmp_path / "file").write_text("mine")
    done = run_program(program, *options, "--out", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: file: is a file; name a folder\n"
    assert (tmp_path / "file").read_text() == "mine"
