"""What programs print of names that others chose."""

import logging

import pytest
from hostile_names import HOSTILE

from backend.console.messages import LogFormatter, printable, report_error


@pytest.mark.parametrize("name", HOSTILE)
def test_a_printed_name_is_one_line_that_every_terminal_accepts(name: str) -> None:
    text = printable(name)
    assert text.encode("utf-8").decode() == text
    assert not [character for character in text if character < " " or character in "\x7f\x9b\u202e"]


@pytest.mark.parametrize(
    "name",
    [
        "a b.jpg",
        "caf\u00e9",
        "\u65e5\u672c",
        "1.23.45\u202fPM",
        "\U0001f468\u200d\U0001f469",
        "\\x",
    ],
)
def test_other_names_stay_as_they_are(name: str) -> None:
    assert printable(name) == name


def test_errors_and_log_messages_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    report_error(ValueError("\x1b[2J.png is damaged"))
    assert capsys.readouterr().err == "error: \\x1b[2J.png is damaged\n"
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "skipped %s", ("a\rb",), None)
    assert LogFormatter().format(record) == "skipped a\\rb"
