"""Every page's script, run by Streamlit's own test harness without a browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

FRONTEND = Path(__file__).parents[1] / "frontend"
VIEWS = sorted(path for path in (FRONTEND / "views").glob("*.py") if path.stem != "__init__")


@pytest.fixture(autouse=True)
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_DATABASE_URL", f"sqlite:///{tmp_path / 'sessions.sqlite'}")


def run(name: str) -> AppTest:
    return AppTest.from_file(str(FRONTEND / "views" / f"{name}.py"), default_timeout=60).run()


@pytest.mark.parametrize("view", [view.stem for view in VIEWS if view.stem != "live"])
def test_a_page_begins_without_a_complaint(view: str) -> None:
    page = run(view)
    assert not page.exception
    assert not page.error
    assert page.title


@pytest.mark.parametrize("view", ["photo", "video", "batch", "live", "model"])
def test_a_missing_model_is_explained(view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_MODEL", "/nowhere.pth")
    page = run(view)
    assert not page.exception
    assert "/nowhere.pth" in page.error[0].value


def test_a_sample_is_answered() -> None:
    page = run("photo")
    page.segmented_control[0].set_value("Samples").run()
    assert not page.exception
    assert any("calibrated" in caption.value for caption in page.caption)


def test_sessions_are_empty_at_first_and_searched() -> None:
    page = run("sessions")
    page.text_input[0].set_value("nobody").run()
    assert not page.exception
    assert not page.error
