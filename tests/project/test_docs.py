"""The README and the documentation: links, commands, flags, settings and examples are true."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from paths import REPO
from programs import run_program
from pydantic_settings import BaseSettings

import utils
from backend.service.settings import API_PREFIX, ServiceSettings
from utils.settings import ENV_PREFIX, Settings

DOCS = REPO / "docs"
PAGES = [
    *(REPO / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted((REPO / "model").glob("*.md")),
    REPO / "images" / "README.md",
]
MAX_README_LINES = 180
PROGRAMS = {
    path.name: path
    for path in sorted((REPO / "backend").rglob("*.py"))
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    and path.name != "__main__.py"  # the emotion command, which runs the others
}
# What `emotion NAME` and `make NAME` run; the flags of `app` are Streamlit's.
COMMANDS = {"predict": "inference.py", "average": "soup.py"} | {
    name: f"{name}.py"
    for name in ("api", "train", "evaluate", "explain", "export", "prepare", "benchmark")
}
each_page = pytest.mark.parametrize(
    "page", PAGES, ids=[path.relative_to(REPO).as_posix() for path in PAGES]
)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def fenced(markdown: str, language: str) -> list[str]:
    """Return the fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)


def links(markdown: str) -> Iterator[str]:
    """Yield the targets of all links to files, without anchors."""
    prose = re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^()\s]+)\)", prose):
        if not re.match(r"https?:|mailto:|#", target):
            yield target.split("#")[0]


def shell_lines(markdown: str) -> Iterator[list[str]]:
    """Yield the words of every command in the shell blocks, comments aside."""
    for block in fenced(markdown, "sh"):
        for line in re.sub(r"\\\n\s*|(?<=')\[\n.*?\n\]", "", block, flags=re.DOTALL).splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def calls(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the program that a command runs, and its arguments."""
    for i, word in enumerate(words):
        if word.endswith(".py") and Path(word).name in PROGRAMS:
            yield Path(word).name, words[i + 1 :]
        elif word in ("emotion", "make") and words[i + 1 : i + 2] and words[i + 1] in COMMANDS:
            rest = words[i + 2 :]
            if word == "make":
                rest = [part for w in rest if w.startswith("ARGS=") for part in w[5:].split()]
            yield COMMANDS[words[i + 1]], rest


def quoted_flags() -> dict[str, set[str]]:
    """Return program name to the flags that the documentation gives it, in blocks and in text."""
    found: dict[str, set[str]] = {}
    for page in PAGES:
        lines = list(shell_lines(read(page)))
        lines += [span.split() for span in re.findall(r"`([^`\n]+)`", read(page))]
        for program, arguments in (call for words in lines for call in calls(words)):
            flags = {word.split("=")[0] for word in arguments if re.match(r"--[a-z]", word)}
            found.setdefault(program, set()).update(flags)
    return found


FLAGS = quoted_flags()


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in links(read(page)) if not (page.parent / link).exists()]
    assert not missing


def test_the_readme_is_short() -> None:
    assert len(read(REPO / "README.md").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_is_documented(program: str) -> None:
    assert any(program in read(page) for page in (REPO / "README.md", *DOCS.glob("*.md")))


def test_every_command_is_documented() -> None:
    page, commands = read(DOCS / "getting-started.md"), import_module("backend.__main__").COMMANDS
    assert not [name for name in commands if f"| `emotion {name}` |" not in page]


@each_page
def test_named_files_exist(page: Path) -> None:
    # The changelog says where things were before.
    text = "" if page.name == "CHANGELOG.md" else read(page)
    paths = set(re.findall(r"\b(?:backend|frontend|utils|tests)/[\w/]+\.\w+", text))
    assert not {path for path in paths if "NAME" not in path and not (REPO / path).exists()}


@pytest.mark.parametrize("program", [name for name, flags in FLAGS.items() if flags])
def test_documented_flags_exist(program: str) -> None:
    path = PROGRAMS[program].relative_to(REPO / "backend")
    done = run_program(str(path.with_suffix("")), "--help")
    assert done.returncode == 0, done.stderr
    known = set(re.findall(r"--[a-z][\w-]*", done.stdout))
    assert FLAGS[program] <= known


@each_page
def test_documented_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(REPO / "Makefile"), re.MULTILINE))
    lines = list(shell_lines(read(page)))
    lines += [span.split() for span in re.findall(r"`(make [^`\n]+)`", read(page))]
    makes = [words[words.index("make") + 1 :] for words in lines if "make" in words[:2]]
    named = {word for words in makes for word in words if re.fullmatch(r"[a-z]+", word)}
    assert named <= targets


@pytest.mark.parametrize(
    ("settings", "prefix", "page"),
    [
        (Settings, ENV_PREFIX, "getting-started.md"),
        (ServiceSettings, API_PREFIX, "service.md"),
    ],
)
def test_every_setting_is_documented(settings: type[BaseSettings], prefix: str, page: str) -> None:
    rows = dict(re.findall(r"^\| `(EMOTION_\w+)` \| ([^|]*?) *\|", read(DOCS / page), re.MULTILINE))
    assert set(rows) == {f"{prefix}{name.upper()}" for name in settings.model_fields}
    for name, field in settings.model_fields.items():
        if isinstance(field.default, (int, float)):
            assert rows[f"{prefix}{name.upper()}"].strip("`") == f"{field.default:g}"


def test_the_reference_has_every_public_name() -> None:
    reference = read(DOCS / "reference" / "index.md")
    assert not [name for name in utils.__all__ if f"`{name}`" not in reference]


def run_python(code: str, folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(astronaut_jpg: Path, tmp_path: Path) -> Path:
    """A folder with the photo that the examples name."""
    (tmp_path / "photo.jpg").write_bytes(astronaut_jpg.read_bytes())
    return tmp_path


def test_the_readme_example_runs(folder: Path) -> None:
    (code,) = fenced(read(REPO / "README.md"), "python")
    assert run_python(code, folder).startswith("happy 0.9")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["index.md", "python.md", "reference/index.md"])
def test_the_documentation_examples_run(page: str, folder: Path) -> None:
    code = fenced(read(DOCS / page), "python")
    assert code
    for block in code:
        run_python(block, folder)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        (
            "```sh\npython backend/train.py --data x  # text\n```",
            "python backend/train.py --data x",
        ),
        ("```sh\n# only a comment\n```", None),
        ("```python\nmake\n```", None),
    ],
)
def test_shell_lines_are_found(markdown: str, words: str | None) -> None:
    assert list(shell_lines(markdown)) == ([words.split()] if words else [])


@pytest.mark.parametrize(
    ("command", "program", "arguments"),
    [
        ("EMOTION_MODEL=a.pth python backend/train.py --lr 1", "train.py", ["--lr", "1"]),
        ("emotion predict photo.jpg --json", "inference.py", ["photo.jpg", "--json"]),
        ("make api ARGS='--proxy 127.0.0.1'", "api.py", ["--proxy", "127.0.0.1"]),
    ],
)
def test_calls_are_found(command: str, program: str, arguments: list[str]) -> None:
    assert list(calls(shlex.split(command))) == [(program, arguments)]


def test_broken_links_are_found(tmp_path: Path) -> None:
    assert list(links("[a](b.md#c) [d](https://e) ![f](g/h.png)\n```\n[i](j)\n```\n")) == [
        "b.md",
        "g/h.png",
    ]
