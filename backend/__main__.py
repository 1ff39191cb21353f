"""The ``emotion`` command: one name for all programs of this folder."""

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from backend.console.cli import run

# The programs are imported when the command is known: ``emotion --help`` responds at once.


@dataclass(frozen=True)
class Command:
    """A command and the program that runs it.

    Attributes:
        module: Module of ``backend`` with a ``main`` that reads ``sys.argv``.
        summary: One line for ``emotion --help``.
    """

    module: str
    summary: str


COMMANDS = {
    "app": Command("app", "start the app: live page, photos, videos, recorded sessions"),
    "predict": Command("inference", "classify the faces of photos, videos, folders, a camera"),
    "api": Command("api", "start the HTTP and WebSocket service"),
    "prepare": Command("prepare", "turn labelled images into a dataset for training"),
    "train": Command("train", "train a model"),
    "average": Command("soup", "average the weights of fine-tuned models"),
    "evaluate": Command("evaluate", "measure a model on labelled images; compare models"),
    "explain": Command("explain", "draw heat maps of what a model's predictions rest on"),
    "export": Command("export", "write a model as ONNX files"),
    "benchmark": Command("benchmark", "measure the speed on this machine"),
}


def usage() -> str:
    """Return the help text."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: emotion COMMAND [OPTION ...]",
            "",
            "Facial emotion detection: apparent expressions with calibrated probabilities.",
            "",
            "commands:",
            *lines,
            "",
            "emotion COMMAND --help lists the options of a command, emotion --version the version.",
        ]
    )


def main() -> NoReturn:
    """Run the command that the arguments name, with the arguments behind it."""
    name, *rest = sys.argv[1:] or [""]
    if name in ("", "-h", "--help"):
        print(usage(), file=sys.stdout if name else sys.stderr)
        sys.exit(0 if name else 2)
    if name == "--version":
        from utils import __version__

        print(f"emotion {__version__}")
        sys.exit(0)
    if name not in COMMANDS:
        print(f"error: unknown command {name!r}; use one of {', '.join(COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    sys.argv = [f"emotion {name}", *rest]
    run(lambda: import_module(f"backend.{COMMANDS[name].module}").main())


if __name__ == "__main__":
    main()
