"""A PostgreSQL server of its own for the tests, on loopback."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service_process import free_port


def _program(name: str) -> str:
    """Return a program of the server; its absence fails the test instead of hiding it."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        pytest.fail("The tests of sessions need PostgreSQL: apt install postgresql", pytrace=False)
    return found


def _run(*command: str) -> None:
    # The server refuses to be run by root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Its log file keeps stdout open: a pipe would never end.
    done = subprocess.run([*prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    assert done.returncode == 0, command


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a server on an empty database and yield its address for SQLAlchemy."""
    data, log, port = folder / "data", folder / "log.txt", free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        for parent in folder.parents[:3]:  # pytest makes its folders for the user alone
            parent.chmod(parent.stat().st_mode | 0o011)
    _run(_program("initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "-N")
    control = _program("pg_ctl")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    _run(control, "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
    try:
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
    finally:
        _run(control, "-D", str(data), "-m", "immediate", "stop")
