"""Optional features: the extras that bring them, and the sentence where one is missing."""

import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from paths import REPO

from backend.console.requirements import ensure
from utils.errors import EmotionError, MissingExtraError
from utils.extras import EXTRAS, require

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYPROJECT = REPO / "pyproject.toml"


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_brings_its_modules(extra: str) -> None:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    brought = {
        canonicalize_name(Requirement(text).name)
        for text in project["optional-dependencies"][extra]
    }
    distributions = packages_distributions()
    for module in EXTRAS[extra]:
        assert brought & {canonicalize_name(name) for name in distributions[module]}, module


def test_what_is_installed_is_passed() -> None:
    for extra in EXTRAS:
        require(extra, feature="This")


def test_what_is_missing_is_named_with_its_extra() -> None:
    with pytest.raises(MissingExtraError) as error:
        require("train", feature="Training", modules=("torch", "not_there", "nor_this"))
    assert str(error.value) == (
        "Training needs packages that are not installed (not_there, nor_this); "
        "install them with: pip install 'emotion-detection[train]'"
    )
    assert isinstance(error.value, EmotionError)
    assert error.value.exit_code == 2


def test_a_program_ends_with_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("utils.extras.EXTRAS", {"train": ("a", "b1", "c1", "d1", "e1")})
    monkeypatch.setattr("utils.extras.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as end:
        ensure("train", "Training")
    assert end.value.code == 2
    output = capsys.readouterr()
    assert not output.out
    assert output.err == (
        "error: Training needs packages that are not installed (a, b1, c1, …); "
        "install them with: pip install 'emotion-detection[train]'\n"
    )
