"""The process that runs the inputs: it may hang or die, and another one takes its place."""

import faulthandler
import os
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from utils.errors import EmotionError
from utils.memory import memory_mb

INPUT, OUTPUT = "input.bin", "output.txt"
_RESET_PEAK = "5"  # proc(5), /proc/PID/clear_refs

Run = Callable[[bytes], bool]


@dataclass(frozen=True)
class Target:
    """Something that reads what users bring.

    Attributes:
        name: Its name in the table and in the names of reproducers.
        open: Imports and starts what the target needs, and returns a function that takes an input
            and returns whether it was accepted; it may also explain the input by an
            ``EmotionError``. Whatever else it raises is a finding.
        make: Returns so many inputs for a seed; the same seed makes the same inputs.
        batch: Inputs of one turn, some seconds' worth.
        seconds: Most that an input may take.
        memory_mb: Most memory that an input may add to the process.
    """

    name: str
    open: Callable[[], Run]
    make: Callable[[str, int], Iterator[bytes]]
    batch: int
    seconds: float = 30.0
    memory_mb: float = 300.0


@dataclass(frozen=True)
class Finding:
    """An input that was neither accepted nor explained.

    Attributes:
        kind: Tells findings apart: the exception and where it was raised, or the limit.
        details: A traceback, or the figures.
        data: The input.
    """

    kind: str
    details: str
    data: bytes


@dataclass(frozen=True)
class Turn:
    """So many inputs of a target."""

    target: Target
    seed: str
    count: int


def serve(connection: Connection, progress: MutableSequence[int], folder: Path) -> None:
    """Run turns until None arrives; send each finding, and None after a turn.

    Args:
        connection: Receives turns.
        progress: Shared with the other process: the accepted and the explained inputs of the turn.
        folder: Holds the current input, temporary files and what libraries print.
    """
    output = os.open(folder / OUTPUT, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    faulthandler.enable()
    tempfile.tempdir = str(folder)  # what a killed process leaves behind is removed, too
    opened: dict[str, Run] = {}
    while (turn := connection.recv()) is not None:
        target = turn.target
        if target.name not in opened:
            opened[target.name] = target.open()
        inputs = list(target.make(turn.seed, turn.count))
        for data in inputs:
            (folder / INPUT).write_bytes(data)
            judged = judge(target, opened[target.name], data)
            if isinstance(judged, Finding):
                connection.send(judged)
            else:
                progress[0 if judged else 1] += 1
        (folder / INPUT).unlink(missing_ok=True)
        connection.send(None)


def judge(target: Target, run: Run, data: bytes) -> bool | Finding:
    """Run one input and return whether it was accepted, or what is wrong."""
    before, start = _restart_peak(), time.perf_counter()
    try:
        accepted = run(data)
    except EmotionError:
        accepted = False
    except KeyboardInterrupt:
        raise
    # Panics of libraries in Rust derive from BaseException alone.
    except BaseException as error:
        return Finding(_kind(error), traceback.format_exc(), data)
    seconds, added = time.perf_counter() - start, (memory_mb(peak=True) or 0.0) - before
    if added > target.memory_mb:
        return Finding("memory", f"it took {added:.0f} MB", data)
    if seconds > target.seconds:
        return Finding("time", f"it took {seconds:.1f} seconds", data)
    return accepted


def _restart_peak() -> float:
    """Count the peak of this process's memory anew, where the system can, and return it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    return memory_mb(peak=True) or 0.0


def _kind(error: BaseException) -> str:
    """Return the type of an exception and the innermost line of this project that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    libraries = (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"))
    own = [frame for frame in frames if not frame.filename.startswith(libraries)]
    place = (own or frames)[-1]
    path = Path(place.filename)
    return f"{type(error).__name__} at {path.parent.name}/{path.name}:{place.lineno}"
