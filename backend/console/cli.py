"""How every program ends: exit codes and one-line errors instead of tracebacks."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from utils.errors import EmotionError

SOME_FAILED = 1
# What a shell reports for a program ended by SIGINT or SIGPIPE: 128 + the signal's number.
INTERRUPTED = 130
BROKEN_PIPE = 141


def run(main: Callable[[], int]) -> NoReturn:
    """Run a program's ``main`` and exit with its return value.

    An ``EmotionError`` is printed to stderr as ``error: …`` and gives its own exit code (2 for a
    mistake of the user). Ctrl-C gives 130. A reader that went away (``| head``) ends the program
    quietly with 141. Any other exception is a defect and keeps its traceback.

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
        code = INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit and would complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    sys.exit(code)
