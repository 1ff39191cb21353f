"""Times in a recording as people read them."""


def timecode(seconds: float, *, tenths: bool = False) -> str:
    """Return a time such as ``0:05``, ``12:30`` or ``1:02:03``.

    Args:
        seconds: From the beginning, not negative.
        tenths: Whether to add tenths of a second: ``0:05.4``.
    """
    units = round(10 * seconds) if tenths else 10 * round(seconds)
    whole, tenth = divmod(units, 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    start = f"{hours:d}:{minute:02d}" if hours else f"{minute:d}"
    return f"{start}:{second:02d}" + (f".{tenth:d}" if tenths else "")
