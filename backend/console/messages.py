"""What programs print of unknown origin, such as file names, and how they report errors."""

import logging
import re
import sys

from tqdm import tqdm

# Control characters move the cursor or give orders to the terminal, bidirectional overrides show
# another name than there is, and surrogates (bytes that are not UTF-8) can't be printed at all.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: object) -> str:
    r"""Return text on one line, with ``\x1b`` and the like for what a terminal must not receive."""
    return _UNPRINTABLE.sub(lambda found: _escape(found.group()), str(text))


def report_error(error: object) -> None:
    """Print an error to stderr as ``error: …``, without garbling a progress bar."""
    tqdm.write(f"error: {printable(error)}", file=sys.stderr)


class LogFormatter(logging.Formatter):
    """Formats what the library logs, a line for each message."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the message; a traceback behind it keeps its lines."""
        return printable(super().formatMessage(record))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
