"""Rules of the code base that neither Ruff nor import-linter checks: sizes, one list, pins."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from paths import REPO

from utils.emotions import EMOTIONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOMS = ("utils", "backend", "frontend")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50

FILES = [path for room in ROOMS for path in sorted((REPO / room).rglob("*.py"))]
each_file = pytest.mark.parametrize(
    "path", FILES, ids=[path.relative_to(REPO).as_posix() for path in FILES]
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(tree: ast.Module) -> set[int]:
    """Return the ``id`` of every docstring node."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }


def emotion_lists(tree: ast.Module) -> Iterator[int]:
    """Yield the lines of literals and texts, docstrings aside, that spell out all emotions."""
    skip = docstrings(tree)
    for node in ast.walk(tree):
        words: set[Any] = set()
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skip:
            words = set(re.findall(r"[a-z]+", node.value.lower()))
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            words = {item.value for item in node.elts if isinstance(item, ast.Constant)}
        elif isinstance(node, ast.Dict):
            words = {key.value for key in node.keys if isinstance(key, ast.Constant)}
        if words.issuperset(EMOTIONS):
            yield node.lineno


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def pinned() -> list[Requirement]:
    lines = (REPO / "requirements.txt").read_text(encoding="utf-8").splitlines()
    texts = [line.split(" #")[0].strip() for line in lines]
    return [Requirement(text) for text in texts if text and text[0] not in "#-"]


def declared() -> list[Requirement]:
    with (REPO / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"].values()
    texts = project["dependencies"] + [text for extra in extras for text in extra]
    found = {text: Requirement(text) for text in texts}
    return [requirement for requirement in found.values() if requirement.name != project["name"]]


def shell_commands(markdown: str) -> set[str]:
    """Return the lines of all fenced code blocks, without comments."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    return {line.split(" #")[0].strip() for block in blocks for line in block.splitlines()}


@each_file
def test_search_path_is_left_alone(path: Path) -> None:
    lines = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"
    ]
    assert not lines, "the package is installed: nothing needs sys.path"


@each_file
def test_emotions_are_listed_once(path: Path) -> None:
    lines = list(emotion_lists(parse(path)))
    if path == REPO / "utils" / "emotions.py":
        assert lines
    else:
        assert not lines, f"use utils.emotions.EMOTIONS instead of the list in line {lines[0]}"


@each_file
def test_file_has_a_readable_size(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@each_file
def test_functions_have_a_readable_size(path: Path) -> None:
    functions = [node for node in ast.walk(parse(path)) if isinstance(node, Function)]
    sizes = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert not {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES}


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_within_its_range(requirement: Requirement) -> None:
    pins = [pin for pin in pinned() if pin.name == requirement.name]
    assert pins, f"{requirement.name} is missing in requirements.txt"
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert requirement.specifier.contains(specifier.version)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_dependency_has_one_pin_for_each_python(python: str) -> None:
    environment = {"python_version": python}
    valid = [p.name for p in pinned() if p.marker is None or p.marker.evaluate(environment)]
    assert sorted(valid) == sorted({pin.name for pin in pinned()})


def test_requirements_install_the_package_itself() -> None:
    assert (REPO / "requirements.txt").read_text(encoding="utf-8").splitlines()[-1] == "-e ."


def test_everything_installs_every_extra() -> None:
    with (REPO / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    (everything,) = (Requirement(text) for text in extras["all"])
    assert everything.extras == set(extras) - {"all", "test"}
    assert "emotion-detection[all]" in extras["test"]


def test_one_opencv_is_installed() -> None:
    names = {str(found.metadata["Name"]).lower() for found in distributions()}
    assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


def test_continuous_integration_runs_the_readme_test_command() -> None:
    documented = shell_commands((REPO / "README.md").read_text(encoding="utf-8"))
    script = (REPO / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "make test" in documented
    assert "make test" in script


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (f"'''{' '.join(EMOTIONS)}'''", []),
        (f"x = 1\ny = {list(EMOTIONS)}", [2]),
        (f"x = {dict.fromkeys(EMOTIONS, 0)}", [1]),
        (f"x = {' '.join(EMOTIONS)!r}.split()", [1]),
        (f"x = {list(EMOTIONS[:6])}", []),
    ],
    ids=["docstring", "list", "dict", "text", "six"],
)
def test_emotion_lists_are_found(source: str, lines: list[int]) -> None:
    assert list(emotion_lists(ast.parse(source))) == lines
