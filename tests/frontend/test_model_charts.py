"""The charts of the model page, and that the page has no dead ends."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from paths import REPO
from streamlit.testing.v1 import AppTest

from frontend.model_charts import (
    confusion_chart,
    coverage_chart,
    reliability_chart,
    robustness_chart,
)
from utils.evaluation.chart_data import load_curves, load_robustness_data
from utils.evaluation.curves import compute_curves
from utils.paths import BUNDLED_ONNX

PAGE = REPO / "frontend" / "views" / "model.py"


def test_the_bundled_model_has_the_data_of_its_charts() -> None:
    folder = BUNDLED_ONNX.parent
    for path in sorted(folder.glob("curves_test_*.json")):
        curves = load_curves(path)
        assert len(curves.reliability) > 5
        assert curves.coverage[0].accuracy > curves.coverage[-1].accuracy
    assert len(load_robustness_data(folder / "robustness.json")) == 10


def test_charts_explain_each_value() -> None:
    probabilities = np.random.default_rng(0).dirichlet((2, 1), 50)
    curves = compute_curves(probabilities, np.zeros(50, int), threshold=0.5)
    robustness = load_robustness_data(BUNDLED_ONNX.with_name("robustness.json"))
    for chart in (
        confusion_chart([[3, 1], [0, 0]], ["a", "b"]),
        reliability_chart(curves.reliability),
        coverage_chart(curves.coverage, curves.certain),
        robustness_chart(robustness),
    ):
        layers = chart.to_dict()["layer"]
        assert any("tooltip" in layer["encoding"] for layer in layers)


def test_a_model_of_ones_own_has_no_dead_ends(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.pth"
    path.write_bytes(tiny_checkpoint.read_bytes())
    monkeypatch.setenv("EMOTION_MODEL", str(path))
    st.cache_resource.clear()
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not page.exception
    texts = [e.value for e in (*page.markdown, *page.caption, *page.info)]
    assert not any(str(tmp_path) in text or "backend/" in text for text in texts)
    assert "Model card" not in [tab.label for tab in page.tabs]
