"""The ``emotion`` command: the programs under one name."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import utils
from backend.__main__ import COMMANDS, main


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["emotion", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_lists_every_command_with_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert call(monkeypatch, option) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, command in COMMANDS.items():
        assert any(line.split() == [name, *command.summary.split()] for line in lines)


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"emotion {utils.__version__}\n"


def test_no_command_prints_the_help_as_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch) == 2
    assert capsys.readouterr().err.startswith("usage: emotion COMMAND")


def test_an_unknown_command_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "predcit", "photo.jpg") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: unknown command 'predcit'")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_program(name: str) -> None:
    program = import_module(f"backend.{COMMANDS[name].module}")
    assert callable(program.main)
    assert program.__doc__


def test_arguments_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "predict", "--help") == 0
    assert capsys.readouterr().out.startswith("usage: emotion predict ")
    assert call(monkeypatch, "predict", "nowhere.jpg", "--every", "0") == 2
    assert "--every must be at least 1" in capsys.readouterr().err


def test_further_arguments_of_the_app_go_to_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr("streamlit.web.cli.main", lambda args, **_: given.append(args))
    monkeypatch.setattr("backend.app.limit_heaps", lambda: True)
    assert call(monkeypatch, "app", "--server.port", "8600") == 0
    ((command, script, *options),) = given
    assert command == "run"
    assert Path(script).is_file()
    assert (Path(script).parent / ".streamlit" / "config.toml").is_file()
    assert options == ["--server.port", "8600"]


def test_it_runs_as_a_module_and_loads_nothing_before_the_command_is_known() -> None:
    code = "import sys, backend.__main__; print(*{'numpy', 'cv2', 'torch'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not done.stdout.split()
    done = subprocess.run(
        [sys.executable, "-m", "backend", "--help"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("usage: emotion COMMAND")
