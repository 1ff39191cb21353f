"""Run the project's programs as a shell does, without importing the libraries anew each time.

A server process has imported the slow libraries once; each run is a fork of it, a process of its
own with its own standard streams, working directory and environment.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import torch
from paths import REPO

_SLOW_TO_IMPORT = [
    "torch",
    "torch.utils.data",
    "torchvision",
    "sklearn.metrics",
    "matplotlib.figure",
]


def run_program(
    name: str,
    *args: object,
    cwd: Path = REPO,
    environment: dict[str, str] | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run ``backend/NAME.py`` and return its exit code and output.

    Args:
        name: A path below ``backend/``, without the suffix.
        *args: Arguments of the command line.
        cwd: Working directory.
        environment: Changes to the environment. Of the variables that are read when an interpreter
            or a library starts, ``PYTHONIOENCODING`` and ``OMP_NUM_THREADS`` count.
        timeout: Seconds after which the process is killed.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    command = [str(REPO / "backend" / f"{name}.py"), *map(str, args)]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_SLOW_TO_IMPORT)
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, "stdout"), Path(folder, "stderr")]
        variables = os.environ | (environment or {})
        process = context.Process(target=_run, args=(command, streams, cwd, variables))
        # The fork runs the file that is __main__ here, which may be a page that a test has shown.
        with patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
            process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        texts = [stream.read_text(encoding="utf-8") for stream in streams]
        return subprocess.CompletedProcess(command, process.exitcode, *texts)


def infer(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``backend/inference.py`` with changes to the environment."""
    return run_program("inference", *args, environment=environment)


def _run(command: list[str], streams: list[Path], cwd: Path, variables: dict[str, str]) -> None:
    for descriptor, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_CREAT | os.O_WRONLY | os.O_APPEND), descriptor)
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    sys.stdout.reconfigure(encoding=encoding)  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]
    torch.set_num_threads(int(variables["OMP_NUM_THREADS"]))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = command
    sys.path[0:0] = [str(Path(command[0]).parent)]
    runpy.run_path(command[0], run_name="__main__")
