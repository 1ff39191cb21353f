"""Errors a user can cause or fix.

Each message says what is wrong, with which file or value, and what to do about it. Programs print
the message and exit with ``exit_code``; services answer with ``http_status`` and ``code``; the app
shows the message as a sentence.
"""


class EmotionError(Exception):
    """Base of every error that is explained to the user instead of shown as a traceback."""

    code = "error"
    exit_code = 2
    http_status = 400


class ImageError(EmotionError):
    """A picture can't be used: missing, empty, truncated, of an unsupported kind or too large."""

    code = "bad_image"


class TooLargeError(ImageError):
    """A picture, clip or request has more pixels, seconds or bytes than the limit allows."""

    code = "too_large"
    http_status = 413


class VideoError(EmotionError):
    """A video or camera can't be opened or decoded."""

    code = "bad_video"


class DataError(EmotionError):
    """A data set is missing, malformed or too small; names the file or row."""

    code = "bad_data"


class CheckpointError(EmotionError):
    """A checkpoint is missing, damaged, unsafe or of another architecture."""

    code = "bad_checkpoint"
    http_status = 503


class ConfigError(EmotionError):
    """An option, setting or configuration key is unknown or has an impossible value."""

    code = "bad_config"
    http_status = 422


class DetectorError(EmotionError):
    """A face detector is unknown, or its model file is not there."""

    code = "bad_detector"
    http_status = 503


class OutputError(EmotionError):
    """Results can't be written: no permission, a full disk, or a file that is something else."""

    code = "bad_output"
    http_status = 507


class DatabaseError(EmotionError):
    """The database of sessions can't be reached, read or written."""

    code = "bad_database"
    http_status = 503
