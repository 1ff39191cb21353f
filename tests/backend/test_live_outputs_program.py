"""Live outputs of ``backend/inference.py``: real programs receive what it sends."""

import json
import re
import socket
import subprocess
import sys
import time as clock
import uuid
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frames import frame
from network_camera import network_camera
from numpy.typing import NDArray
from paths import REPO
from programs import infer
from receivers import http_server, lsl_inlet
from threads import run_at_once, wait_until
from websockets.sync.client import connect

from utils.emotions import EMOTIONS
from utils.media.live_outputs.config import LiveOutputConfig
from utils.media.live_outputs.messages import StreamDescription

pylsl = pytest.importorskip("pylsl")
PAGE = REPO / "docs" / "live-outputs.md"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_video_goes_to_a_file_and_a_webhook(
    clip: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "faces.jsonl"
    with http_server() as server:
        run = infer(
            clip, "--model", tiny_checkpoint, "--every", 5, "--out", out, "--webhook", server.url
        )
        messages = server.messages
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [message["result"] for message in messages if "result" in message] == lines
    events = [message["event"] for message in messages if "event" in message]
    assert [event["kind"] for event in events] == ["start", "face_appears", "stop"]
    assert events[0]["stream"]["classes"] == list(EMOTIONS)


def test_a_camera_goes_to_other_programs_until_it_is_switched_off(
    astronaut: NDArray[np.uint8], tiny_checkpoint: Path
) -> None:
    port, name = free_port(), f"test-{uuid.uuid4().hex}"
    nobody = f"http://127.0.0.1:{free_port()}/"
    with network_camera(astronaut[:256, 96:416]) as camera:

        def watch() -> str:
            run = infer(
                "--webcam", camera.url, "--model", tiny_checkpoint, "--quiet",
                "--broadcast", port, "--lsl", name, "--webhook", nobody,
            )  # fmt: skip
            return run.stderr

        def receive() -> list[dict[str, Any]]:
            wait_until(lambda: is_open(port))
            with connect(f"ws://127.0.0.1:{port}") as client, lsl_inlet(name) as inlet:
                messages = [json.loads(client.recv(60))]
                sample, stamp = inlet.pull_sample(timeout=60)
                assert sample[0] == 1
                assert 0 <= pylsl.local_clock() - stamp < 60
                camera.off.set()
                return messages + [json.loads(text) for text in client]

        stderr, messages = run_at_once([watch, receive])
    assert messages[0]["event"]["kind"] == "start"
    assert messages[-1]["event"]["kind"] == "stop"
    (result, *_) = [message for message in messages if "result" in message]
    assert result["age_ms"] > 0
    assert result["result"]["faces"][0]["track_id"] == 1
    first, last = [line for line in stderr.splitlines() if line.startswith("error: webhook")]
    assert "results can't be delivered" in first
    assert "the analysis goes on" in first
    assert "messages were not delivered" in last


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--webhook", "localhost:5000"), "is no address that results can be sent to"),
        (("--webhook-interval", "-1"), "0 to 3600 seconds"),
        (("--broadcast", "70000"), "1 to 65535"),
        (("--lsl", ""), "can't be the name of a stream"),
    ],
)
def test_an_impossible_output_ends_the_run_before_the_file_is_emptied(
    astronaut_jpg: Path, tiny_checkpoint: Path, tmp_path: Path, options: tuple[str, str], words: str
) -> None:
    out = tmp_path / "faces.csv"
    out.write_text("old")
    run = infer(astronaut_jpg, "--model", tiny_checkpoint, "--out", out, "--overwrite", *options)
    assert run.returncode == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert out.read_text() == "old"


@pytest.mark.parametrize(("number", "kind"), [(0, "webhook"), (1, "broadcast"), (2, "lsl")])
def test_the_documented_receivers_receive(number: int, kind: str, tmp_path: Path) -> None:
    port, name = free_port(), f"test-{uuid.uuid4().hex}"
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    script = code[number].replace("5000", str(port)).replace("8765", str(port))
    script = script.replace('"name", "emotion"', f'"name", "{name}"')
    config = LiveOutputConfig(
        **{kind: {"webhook": f"http://127.0.0.1:{port}", "broadcast": port, "lsl": name}[kind]}
    )
    stream = StreamDescription(model="m", classes=EMOTIONS, threshold=0.5)
    printed = tmp_path / "printed"
    # The webhook's receiver has to be there first, the others connect to what is there.
    with printed.open("w") as file, ExitStack() as stack:
        start = partial(subprocess.Popen, [sys.executable, "-c", script], stdout=file)
        receiver = start() if kind == "webhook" else None
        if receiver:
            wait_until(lambda: is_open(port))
        live = stack.enter_context(closing(config.open(stream, report=print)))
        receiver = receiver or start()
        stack.callback(receiver.wait)
        stack.callback(receiver.kill)

        def received() -> str:
            live.write(frame(clock.monotonic()))
            return printed.read_text()

        text = wait_until(received)
    assert "happy" in text
