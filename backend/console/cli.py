"""How every program ends: exit codes, and one-line errors instead of tracebacks."""

import errno
import logging
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from backend.console.messages import LogFormatter, report_error
from utils.errors import EmotionError, OutputError, reason_of

# What a disk reports when it is full, broken or read-only, or a user's share of it is used up.
_DISK_ERRORS = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EROFS, errno.EDQUOT)
# What the system says of the name of a file that was given.
_NAME_ERRORS = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM)


class ExitCode(IntEnum):
    """What the programs report to the shell; a user's mistake has ``EmotionError.exit_code``."""

    SUCCESS = 0
    SOME_FAILED = 1
    # A program ended by SIGINT or SIGPIPE reports 128 + the number of the signal.
    INTERRUPTED = 130
    BROKEN_PIPE = 141


def run(main: Callable[[], int]) -> NoReturn:
    """Run a program's ``main`` and exit with its return value.

    An ``EmotionError`` is printed to stderr as ``error: …``, and the program exits with the error's
    own code (2 for a user's mistake). So is a disk that is full, and a name of a file that is too
    long or may not be used. Ctrl-C gives 130. If the reader of
    stdout has closed it, as ``head`` does, the program ends quietly with 141. Any other exception
    is a bug and keeps its traceback.

    Args:
        main: Takes no arguments and returns the exit code.
    """
    _prepare_streams()
    try:
        try:
            code = main()
        finally:
            sys.stdout.flush()
    except EmotionError as error:
        report_error(error)
        code = error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        code = ExitCode.BROKEN_PIPE
    except OSError as error:
        if error.errno in _NAME_ERRORS and error.filename is not None:
            report_error(f"{os.fsdecode(error.filename)}: can't be used ({reason_of(error)})")
            sys.exit(EmotionError.exit_code)
        if error.errno not in _DISK_ERRORS:
            raise
        name = error.filename or ("a file" if _output_works() else "standard output")
        _discard_output()
        report_error(f"{name}: can't be written ({reason_of(error)})")
        code = OutputError.exit_code
    sys.exit(code)


def _prepare_streams() -> None:
    """Let the standard streams accept every text, and be there even if the shell closed them."""
    # File names may hold characters that the terminal's encoding lacks.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if logging.lastResort:  # prints what no program configured
        logging.lastResort.setFormatter(LogFormatter())


def _output_works() -> bool:
    """Return whether standard output still takes a line; it failed if the disk is full."""
    try:
        print(flush=True)
    except OSError:
        return False
    return True


def _discard_output() -> None:
    # The interpreter flushes stdout again at exit, which would print another error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
