"""A PostgreSQL server of its own for the tests, on loopback."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service_process import free_port
from sqlalchemy import create_engine, text


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


class Postgres:
    """A server that can be stopped and started again.

    Attributes:
        address: Of its first database, for SQLAlchemy.
    """

    def __init__(self, data: Path) -> None:
        self._control = (_program("pg_ctl"), "-D", str(data))
        self._log, self._port = data.with_name("log.txt"), free_port()
        self.address = f"postgresql+psycopg://tester@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        _run(*self._control, "-l", str(self._log), "-o", f"{options} -c fsync=off", "-w", "start")

    def stop(self) -> None:
        """End all connections at once; what was committed is on the disk."""
        _run(*self._control, "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        _run(*self._control, "-m", "immediate", "stop")

    def create_database(self, name: str) -> str:
        """Create an empty database and return its address."""
        engine = create_engine(self.address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.address.replace("/postgres", f"/{name}")


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server with an empty database."""
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        for parent in folder.parents[:3]:  # pytest makes its folders for the user alone
            parent.chmod(parent.stat().st_mode | 0o011)
    _run(_program("initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "-N")
    server = Postgres(data)
    server.start()
    try:
        yield server
    finally:
        server.kill()
