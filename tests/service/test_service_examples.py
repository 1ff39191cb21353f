"""The README's examples of the service, run as they are printed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from paths import REPO
from service_process import Service

from utils.media.video_writer import VideoWriter

pytestmark = pytest.mark.slow

PAGE = (REPO / "docs" / "service.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def curl_commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("curl ")]


@pytest.fixture(scope="module")
def folder(
    astronaut: np.ndarray, astronaut_jpg: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the files that the examples use."""
    folder = tmp_path_factory.mktemp("examples")
    for name in ("photo.jpg", "other.jpg"):
        (folder / name).write_bytes(astronaut_jpg.read_bytes())
    with VideoWriter(folder / "clip.mp4", 10) as video:
        for i in range(10):
            video.write(astronaut[:256, 96:416], i / 10)
    return folder


def test_curl(service: Service, folder: Path) -> None:
    commands = curl_commands()
    assert len(commands) == 5
    for command in commands:
        local = command.replace("http://localhost:8000", service.address)
        done = subprocess.run(
            local, shell=True, cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert "error" not in document, command
        if "/predict " in local:
            assert document["faces"][0]["emotion"] == "happy"


def test_the_python_client(service: Service, folder: Path) -> None:
    (code,) = blocks("python")
    local = code.replace("http://localhost:8000", service.address)
    done = subprocess.run(
        [sys.executable, "-c", local], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("happy 0.9")
