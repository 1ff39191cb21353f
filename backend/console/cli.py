"""How every program ends: exit codes, and one-line errors instead of tracebacks."""

import os
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn

from utils.errors import EmotionError


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
    own code (2 for a user's mistake). Ctrl-C gives 130. If the reader of stdout has closed it, as
    ``head`` does, the program ends quietly with 141. Any other exception is a bug and keeps its
    traceback.

    Args:
        main: Takes no arguments and returns the exit code.
    """
    try:
        code = main()
        sys.stdout.flush()
    except EmotionError as error:
        print(f"error: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout again at exit, which would print another error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.BROKEN_PIPE
    sys.exit(code)
