"""How every program ends: exit codes, messages, tracebacks."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import infer, run_program

from backend.console import cli
from utils.errors import DataError


def raising(error: BaseException) -> Callable[[], int]:
    def program() -> int:
        raise error

    return program


@pytest.mark.parametrize(
    ("program", "code", "message"),
    [
        (lambda: 0, 0, ""),
        (lambda: 1, 1, ""),
        (raising(DataError("rows are missing")), 2, "error: rows are missing\n"),
        (raising(KeyboardInterrupt()), 130, "interrupted\n"),
    ],
)
def test_exit_codes(
    program: Callable[[], int], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.run(program)
    assert caught.value.code == code
    assert capsys.readouterr().err == message


def test_bugs_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        cli.run(raising(ZeroDivisionError()))


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_full_disk_is_told(lines: int) -> None:
    code = f"from backend.console import cli\ncli.run(lambda: print('x\\n' * {lines}) or 0)"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "error: standard output: can't be written (No space left on device)\n"


def test_closed_streams_are_no_error() -> None:
    code = "from backend.console import cli; cli.run(lambda: print('x') or 3)"
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -c "{code}" >&- 2>&-'], timeout=60)
    assert done.returncode == 3


def test_a_closed_pipe_is_no_error() -> None:
    code = (
        "from backend.console import cli\ncli.run(lambda: [print(i) for i in range(10**6)] and 0)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == cli.ExitCode.BROKEN_PIPE


@pytest.mark.parametrize(
    ("program", "options"),
    [("inference", ["--every", "{}"]), ("train", ["--{}"]), ("api", ["{}"])],
)
def test_usage_errors_give_no_orders_to_the_terminal(program: str, options: list[str]) -> None:
    hostile = "\x1b[31mred\u202e\udcff"
    done = run_program(program, "x.jpg", *(text.format(hostile) for text in options))
    assert done.returncode == 2
    assert "\\x1b[31mred\\u202e" in done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stderr)


TOO_LONG = "x" * 300


@pytest.mark.parametrize(
    ("program", "options"),
    [
        ("inference", ["x.jpg", "--out", f"{TOO_LONG}.csv"]),
        ("inference", ["x.jpg", "--model", TOO_LONG]),
        ("evaluate", ["--card", f"{TOO_LONG}/card.md"]),
        ("evaluate", ["--data", TOO_LONG]),
        ("train", ["--resume", TOO_LONG]),
    ],
)
def test_a_name_that_is_too_long_is_explained(
    program: str, options: list[str], tmp_path: Path
) -> None:
    done = run_program(program, *options, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert TOO_LONG in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_video_with_too_long_a_name_costs_no_other_file(
    astronaut_jpg: Path, tiny_checkpoint: Path
) -> None:
    names = [f"{TOO_LONG}.mp4", f"{TOO_LONG}.jpg", astronaut_jpg]
    done = infer(*names, "--model", tiny_checkpoint, "--format", "jsonl", "--detector", "none")
    assert done.returncode == 1
    assert done.stdout.count('{"image": "xxx') == 2
    assert done.stdout.count('{"model": ') == 1
