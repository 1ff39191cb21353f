"""Every page's script, run by Streamlit's own test harness without a browser."""

from pathlib import Path

import pytest
import streamlit as st
from paths import REPO
from streamlit.testing.v1 import AppTest

from utils.model.checkpoint import load_checkpoint, save_checkpoint

FRONTEND = REPO / "frontend"
VIEWS = sorted(path for path in (FRONTEND / "views").glob("*.py") if path.stem != "__init__")


@pytest.fixture(autouse=True)
def separate_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_DATABASE_URL", f"sqlite:///{tmp_path / 'sessions.sqlite'}")


def run(name: str) -> AppTest:
    return AppTest.from_file(str(FRONTEND / "views" / f"{name}.py"), default_timeout=60).run()


@pytest.mark.parametrize("view", [view.stem for view in VIEWS if view.stem != "live"])
def test_a_page_starts_without_errors(view: str) -> None:
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


def test_metrics_that_no_evaluation_wrote_are_explained(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = load_checkpoint(tiny_checkpoint)
    monkeypatch.setenv("EMOTION_MODEL", str(tmp_path / "model.pth"))
    for heads in ({"labels": {"folder": {"accuracy": "high"}}}, {"labels": {}}, [1]):
        checkpoint.metrics = {"test": heads}
        save_checkpoint(checkpoint, tmp_path / "model.pth")
        st.cache_resource.clear()
        page = run("model")
        assert not page.exception
        assert "metrics can't be read" in page.warning[0].value


def test_a_sample_gets_a_prediction() -> None:
    page = run("photo")
    page.segmented_control[0].set_value("Samples").run()
    assert not page.exception
    assert any("calibrated" in caption.value for caption in page.caption)
    page.pills[0].set_value("Two faces").run()
    assert not page.exception
    assert [str(option) for option in page.pills[1].options] == ["1", "2"]


def test_sessions_are_empty_at_first_and_can_be_searched() -> None:
    page = run("sessions")
    page.text_input[0].set_value("nobody").run()
    assert not page.exception
    assert not page.error


def test_the_law_is_on_every_page_that_analyses() -> None:
    for view in ("photo", "video", "batch", "about"):
        texts = " ".join(str(element.proto) for element in run(view).get("html"))
        for article in ("5(1)(f)", "50(3)", "Annex III", "2 December 2027"):
            assert article in texts, (view, article)
