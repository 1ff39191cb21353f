"""Errors that a user can cause or fix.

Each message says what is wrong, with which file or value, and what to do about it. Programs print
it to standard error and exit with ``exit_code``; the service returns ``http_status`` and ``code``;
the app shows it as a sentence.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

_MAX_REASON = 200


class EmotionError(Exception):
    """Base class of every error that is explained to the user instead of shown as a traceback.

    Attributes:
        code: Stable name of the kind of error, in JSON and tables.
        exit_code: Exit code of a program that this error ends.
        http_status: Status of the service's response.
    """

    code = "error"
    exit_code = 2
    http_status = 400


class ImageError(EmotionError):
    """An image can't be used: missing, empty, truncated, too large or in an unsupported format."""

    code = "bad_image"


class TooLargeError(ImageError):
    """An image, clip or request exceeds a limit of pixels, seconds or bytes."""

    code = "too_large"
    http_status = 413


class VideoError(EmotionError):
    """A video or camera can't be opened or decoded."""

    code = "bad_video"


class DataError(EmotionError):
    """A dataset is missing, malformed or too small; the message names the file or row."""

    code = "bad_data"


class CheckpointError(EmotionError):
    """A model file is missing, damaged, unsafe or of another architecture."""

    code = "bad_checkpoint"
    http_status = 503


class ConfigError(EmotionError):
    """An option, setting or configuration key is unknown or has an impossible value."""

    code = "bad_config"
    http_status = 422


class DetectorError(EmotionError):
    """A face detector is unknown, or its model file is missing or damaged."""

    code = "bad_detector"
    http_status = 503


class OutputError(EmotionError):
    """Results can't be written: no permission, a full disk, a file of another kind in the way."""

    code = "bad_output"
    http_status = 507


class DatabaseError(EmotionError):
    """The database of recorded sessions can't be reached, read or written."""

    code = "bad_database"
    http_status = 503


class MissingExtraError(EmotionError):
    """An optional feature's packages are not installed; the message names the extra to install."""

    code = "missing_extra"
    http_status = 501


@contextmanager
def error_boundary(
    explain: Callable[[str], EmotionError], *, known: tuple[type[Exception], ...]
) -> Iterator[None]:
    """Turn every exception of a library into an error that is explained to the user.

    What a damaged file makes a library raise can't be listed in full: an exception of a type that
    is not known is logged, so that it can be added, and explained like the others.

    Args:
        explain: Receives the exception's reason, see :func:`reason_of`, and returns the error.
        known: The types that are expected here.

    Raises:
        EmotionError: What ``explain`` returned, with the exception as its cause; one that was
            raised inside passes unchanged.
    """
    try:
        yield
    except EmotionError:
        raise
    except Exception as error:
        explained = explain(reason_of(error))
        if not isinstance(error, known):
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            logger.warning("unexpected %s: %a", kind, str(explained))
        raise explained from error


def reason_of(error: BaseException) -> str:
    """Return what an exception says, as words that fit into a sentence."""
    text = getattr(error, "strerror", None) or str(error)
    lines = str(text).splitlines()
    return lines[0][:_MAX_REASON].strip(" .") if lines else type(error).__name__
