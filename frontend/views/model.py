"""The model page: which model predicts, how good it is, and how to fool it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import streamlit as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from frontend.model_charts import (
    confusion_chart,
    coverage_chart,
    reliability_chart,
    robustness_chart,
    show_zoo_table,
    zoo_chart,
    zoo_frame,
)
from frontend.playground import playground
from frontend.resources import engine_or_stop
from frontend.text import plain, without_images
from utils.errors import EmotionError
from utils.evaluation.chart_data import curves_file, load_curves, load_robustness_data
from utils.model.spec import HeadRole, LabelSet, ModelSpec
from utils.paths import BUNDLED_ONNX

ZOO_FILE = BUNDLED_ONNX.with_name("zoo.json")
LABEL_SETS: dict[str, str] = {
    LabelSet.FERPLUS: "FER+, majority vote",
    LabelSet.FOLDER: "the dataset's own labels",
}


class Figures(BaseModel):
    """The metrics of a head that the page shows, as ``utils.evaluation`` stores them."""

    images: int
    accuracy: float
    balanced_accuracy: float
    coverage_80_accuracy: float
    ece: float
    per_class: dict[str, dict[str, float]]
    confusion: list[list[int]]


_HEADS = TypeAdapter(dict[str, Annotated[dict[str, Figures], Field(min_length=1)]])


def main() -> None:
    """Draw the page."""
    st.title("Model")
    engine, settings = engine_or_stop()
    spec = engine.live.classifier.spec
    _summary(spec)
    folder = (settings.model or BUNDLED_ONNX).parent
    card = folder / "MODEL_CARD.md"
    pages: dict[str, Callable[[], None]] = {
        "Accuracy": lambda: _accuracy(spec, folder),
        "Try to fool it": lambda: playground(engine),
    }
    if ZOO_FILE.is_file():
        pages["Other architectures"] = _zoo
    if card.is_file():
        pages["Model card"] = lambda: _card(card)
    for tab, draw in zip(st.tabs([plain(name) for name in pages]), pages.values(), strict=True):
        with tab:
            draw()


def _summary(spec: ModelSpec) -> None:
    head, preprocessing = spec.heads[0], spec.preprocessing
    size = preprocessing.input_size
    st.markdown(
        f"**{plain(spec.model)}** distinguishes {len(spec.classes)} classes. Input: each face at "
        f"{size:d} x {size:d} pixels, {plain(preprocessing.color)}. Trained on: "
        f"{plain(head.label_set)}. "
        f"Predictions below {head.threshold:.0%} are marked as uncertain."
    )


def _accuracy(spec: ModelSpec, folder: Path) -> None:
    split = "test" if spec.metrics.get("test") else "validation"
    try:
        metrics = _HEADS.validate_python(spec.metrics.get(split) or {})
    except ValidationError:
        st.warning("This model's metrics can't be read. Run `python backend/evaluate.py` again.")
        return
    if not metrics:
        st.info("How often this model is right has not been measured yet.")
        return
    heads = list(metrics)
    head = st.selectbox("Prediction head", heads, key="head") or heads[0]
    by_labels = metrics[head]
    names = list(by_labels)
    target = HeadRole.of(head).target_label_set(names)
    default = names.index(target) if target in names else 0
    labels = st.selectbox(
        "Labels", names, index=default, format_func=lambda name: LABEL_SETS.get(name, name)
    )
    figures = by_labels[labels or names[0]]
    shown = {
        "Accuracy": figures.accuracy,
        "Mean over classes": figures.balanced_accuracy,
        "Most confident 80%": figures.coverage_80_accuracy,
        "Calibration error": figures.ece,
    }
    with st.container(horizontal=True):
        for name, value in shown.items():
            st.metric(plain(name), f"{value:.1%}")
    st.caption(f"On {figures.images:,} images of the {plain(split)} split, none used for training.")
    _classes(figures.per_class)
    st.header("Confusions")
    st.altair_chart(confusion_chart(figures.confusion, spec.classes), width="stretch")
    _curves(curves_file(folder, split, head))
    _robustness(folder / "robustness.json")


def _classes(per_class: dict[str, dict[str, float]]) -> None:
    table = (
        pd.DataFrame(per_class).T.rename_axis("expression").rename(columns={"support": "images"})
    )
    shares = ("precision", "recall", "f1")
    st.dataframe(
        table.assign(**{name: 100 * table[name] for name in shares}),
        column_config={
            name: st.column_config.ProgressColumn(name.title(), format="%.1f%%", max_value=100)
            for name in shares
        },
    )


def _curves(path: Path) -> None:
    """Draw a head's curves, if ``backend/evaluate.py`` has measured them."""
    if not path.is_file():
        return
    try:
        curves = load_curves(path)
    except EmotionError as error:
        st.warning(plain(error))
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Confidence against accuracy")
        st.altair_chart(reliability_chart(curves.reliability), width="stretch")
        st.caption("The larger the circle, the more predictions. Dashed: perfect calibration.")
    with right:
        st.header("Accuracy without the uncertain predictions")
        st.altair_chart(coverage_chart(curves.coverage, curves.certain), width="stretch")


def _robustness(path: Path) -> None:
    """Draw what poor pictures cost, if ``backend/evaluate.py`` has measured it."""
    if not path.is_file():
        return
    try:
        rows = load_robustness_data(path)
    except EmotionError as error:
        st.warning(plain(error))
        return
    st.header("Accuracy on poor-quality images")
    st.altair_chart(robustness_chart(rows), width="stretch")


def _zoo() -> None:
    table = zoo_frame(json.loads(ZOO_FILE.read_text(encoding="utf-8")))
    st.altair_chart(zoo_chart(table), width="stretch")
    show_zoo_table(table)
    st.caption(
        "All were trained with short schedules on two processor cores. Those with a teacher also "
        "learned from another network's predictions."
    )


def _card(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    st.markdown(without_images(text))  # the first tab has the charts


main()
