"""What a program needs beyond the base installation, checked before its imports."""

import sys

from backend.console.messages import report_error
from utils.errors import MissingExtraError
from utils.extras import require


def ensure(extra: str, program: str) -> None:
    """End the program with one sentence and exit code 2 if its packages are not installed.

    Call it before the other imports, which would fail with a traceback.

    Args:
        extra: The extra of the package that brings them, such as ``train``.
        program: What needs them, to begin the sentence with.
    """
    try:
        require(extra, feature=program)
    except MissingExtraError as error:
        report_error(error)
        sys.exit(error.exit_code)
