"""Gives inputs to a worker process, counts what became of them, and saves the findings."""

import hashlib
import logging
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from fuzz.worker import INPUT, OUTPUT, Finding, Target, Turn, serve

logger = logging.getLogger(__name__)

# Importing PyTorch and starting the service, on a busy machine.
_START_SECONDS = 300.0
_STEP_SECONDS = 0.5
_TAIL = 4000
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass
class Count:
    """What became of a target's inputs.

    Attributes:
        accepted: Those that were read.
        explained: Those that an error of the project explained.
        findings: All others.
        kinds: The findings that differ, each with its first reproducer.
    """

    accepted: int = 0
    explained: int = 0
    findings: int = 0
    kinds: dict[str, Path] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """All inputs."""
        return self.accepted + self.explained + self.findings


class Runner:
    """Runs targets in a worker process, which is replaced when it hangs or dies.

    Args:
        folder: Where reproducers are saved; created when there is one.
        seed: The same seed makes the same inputs.

    Attributes:
        counts: What became of the inputs, by the name of the target.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.counts: dict[str, Count] = {}
        self._folder, self._seed = folder, seed
        self._turns: dict[str, int] = {}
        self._progress = _CONTEXT.RawArray("q", 2)  # accepted and explained inputs of this turn
        self._work = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._current = Path(self._work.name, INPUT)
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
        self._work.cleanup()

    def run(self, target: Target, count: int | None = None) -> Count:
        """Run the next inputs of a target and return what became of all of them so far.

        Args:
            target: The target.
            count: Number of inputs; None is the target's ``batch``.

        Raises:
            RuntimeError: The target can't be started or its inputs can't be made.
        """
        number = self._turns.get(target.name, 0)
        self._turns[target.name] = number + 1
        turn = Turn(target, f"{self._seed}/{target.name}/{number}", count or target.batch)
        counted = self.counts.setdefault(target.name, Count())
        connection = self._start()
        self._progress[:] = [0, 0]
        connection.send(turn)
        while (finding := self._receive(connection, target)) is not None:
            counted.findings += 1
            self._save(counted, turn, finding)
            if self._process is None:  # the rest of the turn went with it
                break
        counted.accepted += self._progress[0]
        counted.explained += self._progress[1]
        return counted

    def _start(self) -> Connection:
        if self._connection is None:
            self._connection, theirs = _CONTEXT.Pipe()
            folder = Path(self._work.name)
            self._process = _CONTEXT.Process(target=serve, args=(theirs, self._progress, folder))
            self._process.start()
            theirs.close()
        return self._connection

    def _stop(self) -> int | None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if process is None or connection is None:
            return None
        connection.close()
        process.join(1)
        process.kill()
        process.join()
        return process.exitcode

    def _receive(self, connection: Connection, target: Target) -> Finding | None:
        """Return the next finding, or None at the end; a hanging or dead process is one, too."""
        try:
            if self._wait(connection, target):
                received: Finding | None = connection.recv()
                return received
            kind = "hang"
        except (EOFError, ConnectionError):
            kind = ""
        code = self._stop()
        output = Path(self._work.name, OUTPUT)
        tail = output.read_text(errors="replace")[-_TAIL:]
        output.unlink()
        if not self._current.is_file():
            raise RuntimeError(f"the target {target.name} can't be run:\n{tail}")
        data = self._current.read_bytes()
        self._current.unlink()
        return Finding(kind or f"the process ended with {code}", tail, data)

    def _wait(self, connection: Connection, target: Target) -> bool:
        """Wait for a message and return True; return False if one input takes too long."""
        state, since = [0, 0, 0], time.monotonic()
        while not connection.poll(_STEP_SECONDS):
            now = [*self._progress, self._current.is_file()]
            if now != state:
                state, since = now, time.monotonic()
            limit = target.seconds if self._current.is_file() else _START_SECONDS
            if time.monotonic() - since > limit + _STEP_SECONDS:
                return False
        return True

    def _save(self, counted: Count, turn: Turn, finding: Finding) -> None:
        """Save the first input of each kind of finding."""
        if finding.kind in counted.kinds:
            return
        name = f"{turn.target.name}-{hashlib.sha256(finding.data).hexdigest()[:12]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        path = counted.kinds[finding.kind] = self._folder / f"{name}.bin"
        path.write_bytes(finding.data)
        where = f"{finding.kind}\nseed {turn.seed}, of {turn.count} inputs"
        path.with_suffix(".txt").write_text(f"{where}\n\n{finding.details}\n")
        logger.warning("%s: %s; saved as %s", turn.target.name, finding.kind, path)


def table(counts: dict[str, Count]) -> str:
    """Return a line for each target: its inputs and what became of them."""
    columns = ("target", "inputs", "accepted", "explained", "findings")
    rows: list[Sequence[object]] = [columns]
    rows += [(name, c.inputs, c.accepted, c.explained, c.findings) for name, c in counts.items()]
    width = max(len(str(row[0])) for row in rows)
    return "\n".join(
        f"{row[0]!s:<{width}}" + "".join(f"{value!s:>11}" for value in row[1:]) for row in rows
    )
