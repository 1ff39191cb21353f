"""Fixtures that several test files share."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

# Before any library starts: with a test process on each core, threads that wait take the time of
# those that work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image
from service_process import Service, ServiceStarter, start_process

from utils.emotions import EMOTIONS
from utils.media.video_writer import VideoWriter
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, save_checkpoint
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head

# A shell's background jobs ignore Ctrl-C, and the programs that tests interrupt inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A photo with one real face, RGB uint8 (512, 512, 3)."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def astronaut_jpg(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same photo as a JPEG file."""
    path = tmp_path_factory.mktemp("photos") / "astronaut.jpg"
    Image.fromarray(astronaut).save(path, quality=95)
    return path


@pytest.fixture(scope="session")
def clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of two seconds, 10 frames each, of a face that moves sideways."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with VideoWriter(path, 10) as video:
        for i in range(20):
            video.write(np.roll(astronaut[:256, 96:416], 2 * i, axis=1), i / 10)
    return path


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained small network for what needs no accuracy: 48x48 grey, seven emotions."""
    torch.manual_seed(0)
    args = {"num_classes": len(EMOTIONS), "stem": 4, "channels": [8, 8], "blocks": 1}
    weights = build_model("se_resnet", **args).state_dict()
    path = tmp_path_factory.mktemp("models") / "tiny.pth"
    checkpoint = Checkpoint(
        model="se_resnet",
        model_args=args,
        classes=EMOTIONS,
        preprocessing=Preprocessing(),
        heads=(Head(temperature=1.5, threshold=0.4),),
        state_dict=weights,
    )
    save_checkpoint(checkpoint, path)
    return path


@pytest.fixture(scope="session")
def start_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceStarter]:
    """A function that starts the service with settings; all are ended in the end."""
    running: list[Service] = []

    def start(**settings: object) -> Service:
        running.append(start_process(tmp_path_factory.mktemp("service") / "log.txt", **settings))
        return running[-1]

    yield start
    for service in running:
        service.process.terminate()
        service.process.wait(30)


@pytest.fixture(scope="session")
def service(start_service: ServiceStarter) -> Iterator[Service]:
    """The service with its default settings; in the end it must have logged no traceback."""
    service = start_service()
    yield service
    assert "Traceback" not in service.log.read_text()
