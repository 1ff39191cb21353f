"""Command-line options that become typed configurations, and the checks that several share."""

import argparse
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from backend.console.messages import printable
from utils.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Config = TypeVar("Config", bound=DataclassInstance)
else:
    Config = TypeVar("Config")

# A shorter measurement has too few frames, or none.
_LEAST_SECONDS = 0.5


class ArgumentParser(argparse.ArgumentParser):
    """The parser of a program's options; its errors are safe to print."""

    def error(self, message: str) -> NoReturn:
        """Print a usage error, which repeats arguments, and exit with 2."""
        super().error(printable(message))


def build_config(kind: type[Config], options: Mapping[str, Any]) -> Config:
    """Return a configuration made of parsed options.

    Args:
        kind: The dataclass; it checks its values on construction.
        options: Parsed values by name, one for each field of the dataclass and possibly others, as
            ``vars`` returns them for an ``argparse.Namespace``. Lists become tuples.

    Raises:
        ConfigError: A value is impossible.
    """
    values = {item.name: options[item.name] for item in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def check_at_least_one(**options: int | None) -> None:
    """Refuse counts below 1; see :func:`check_at_least`."""
    check_at_least(1, **options)


def check_at_least(least: int, /, **options: int | None) -> None:
    """Refuse counts that are too small.

    Args:
        least: The smallest that is accepted.
        **options: Values by option name, with underscores for hyphens; None means "not set" and is
            accepted.

    Raises:
        ConfigError: A value is smaller; the message names the option.
    """
    for name, value in options.items():
        if value is not None and value < least:
            raise ConfigError(f"--{name.replace('_', '-')} must be at least {least}, not {value}")


def check_seconds(seconds: float, limit: float) -> None:
    """Check the length of a measurement.

    Raises:
        ConfigError: It is too short, or not below the limit.
    """
    if not _LEAST_SECONDS <= seconds < limit:
        upper = "" if limit == math.inf else f" and less than {limit:g}"
        raise ConfigError(f"--seconds must be at least {_LEAST_SECONDS}{upper}, not {seconds}")
