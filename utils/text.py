"""Text for people: names and messages that somebody else chose, and numbers of things."""

import re

# Directions of writing that reorder the text around them, bytes that are no text, control codes.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: object) -> str:
    """Return a text on one line, without characters that hide, reorder or break it.

    Args:
        text: Anything with a text form, such as an error.
    """
    return _INVISIBLE.sub("\ufffd", " ".join(str(text).split()))


def counted(number: int, noun: str) -> str:
    """Return a number of things in words, such as "1 face" or "2 faces"."""
    return f"{number:d} {noun}{'' if number == 1 else 's'}"
