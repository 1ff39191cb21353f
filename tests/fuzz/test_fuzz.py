"""A short run of the fuzzer, always the same, and the fuzzer's own eyes: what it must find."""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fuzz.runner import Runner, table
from fuzz.targets import TARGETS
from fuzz.worker import Run, Target
from utils.errors import ImageError

# Some seconds in all; the service's targets start it.
QUICK = {
    "pictures": 2000, "videos": 40, "archives": 300, "datasets": 40, "checkpoints": 20, "onnx": 40,
    "journals": 150, "journal-tables": 150, "configs": 100, "ferplus": 100, "fer2013": 100,
    "requests": 60, "sockets": 20, "loopback": 10,
}  # fmt: skip


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(tmp_path_factory.mktemp("findings"), seed=0) as running:
        yield running


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_is_accepted_or_explained(runner: Runner, name: str) -> None:
    count = runner.run(TARGETS[name], QUICK[name])
    findings = [path.with_suffix(".txt").read_text() for path in count.kinds.values()]
    assert not findings, "\n".join(findings)
    assert count.inputs == QUICK[name]
    assert min(count.accepted, count.explained) > 0


def _misbehave(data: bytes) -> bool:
    if data == b"raise":
        raise ValueError("not an error of the project")
    if data == b"explain":
        raise ImageError("it is damaged")
    if data == b"hang":
        time.sleep(600)
    if data == b"die":
        os._exit(9)
    if data == b"eat":
        _ = bytearray(200_000_000)
    return data != b"refuse"


def _open() -> Run:
    return _misbehave


def _make(inputs: tuple[bytes, ...], seed: str, count: int) -> Iterator[bytes]:
    yield from inputs[:count]


def made_up(*inputs: bytes) -> Target:
    make = partial(_make, inputs)
    return Target("made-up", _open, make, batch=9, seconds=5.0, memory_mb=100.0)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"raise", "ValueError at fuzz/test_fuzz.py"),
        (b"hang", "hang"),
        (b"die", "the process ended with 9"),
        (b"eat", "memory"),
    ],
)
def test_what_is_neither_is_found_and_the_run_goes_on(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    with Runner(tmp_path / "new", seed=0) as running:
        running.run(made_up(b"good", b"explain", b"refuse", data))
        count = running.run(made_up(b"good", data))
        assert (count.inputs, count.accepted, count.explained, count.findings) == (6, 2, 2, 2)
        ((found, path),) = count.kinds.items()
        assert found.startswith(kind)
        assert path.read_bytes() == data
        assert "seed 0/made-up/0" in path.with_suffix(".txt").read_text()
        assert table(running.counts).splitlines()[1].split() == ["made-up", "6", "2", "2", "2"]


def test_the_same_seed_makes_the_same_inputs() -> None:
    for name in ("pictures", "journals"):
        target = TARGETS[name]
        first, again, other = (list(target.make(seed, 20)) for seed in ("1", "1", "2"))
        assert first == again
        assert first != other


def test_a_target_that_does_not_start_is_no_finding(tmp_path: Path) -> None:
    with Runner(tmp_path, seed=0) as running, pytest.raises(RuntimeError, match="made-up can't be"):
        running.run(Target("made-up", _open, _fail, batch=1))


def _fail(seed: str, count: int) -> Iterator[bytes]:
    raise OSError("no inputs")
