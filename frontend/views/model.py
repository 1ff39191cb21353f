"""The model page: which model predicts, how good it is, and how to fool it."""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
import streamlit as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from frontend.model_charts import confusion_chart, show_zoo_table, zoo_chart, zoo_frame
from frontend.playground import playground
from frontend.resources import engine_or_stop
from frontend.text import plain, without_images
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
    accuracy, fool, zoo, card = st.tabs(
        ["Accuracy", "Try to fool it", "Other architectures", "Model card"]
    )
    folder = (settings.model or BUNDLED_ONNX).parent
    with accuracy:
        _accuracy(spec, folder)
    with fool:
        playground(engine)
    with zoo:
        _zoo()
    with card:
        _card(folder)


def _summary(spec: ModelSpec) -> None:
    head, preprocessing = spec.heads[0], spec.preprocessing
    size = preprocessing.input_size
    st.markdown(
        f"**{plain(spec.model)}** distinguishes {len(spec.classes)} classes. Input: each face at "
        f"{size:d} x {size:d} pixels, {plain(preprocessing.color)}. Trained on: "
        f"{plain(head.label_set)}. "
        f"Predictions below {head.threshold:.0%} are marked as uncertain. "
        f"Code revision: {plain(spec.revision or 'unknown')}."
    )


def _accuracy(spec: ModelSpec, folder: Path) -> None:
    split = "test" if spec.metrics.get("test") else "validation"
    try:
        metrics = _HEADS.validate_python(spec.metrics.get(split) or {})
    except ValidationError:
        st.warning("This model's metrics can't be read. Run `python backend/evaluate.py` again.")
        return
    if not metrics:
        st.info("This model has not been evaluated. Run `python backend/evaluate.py --model FILE`.")
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
    for column, (name, value) in zip(st.columns(4), shown.items(), strict=True):
        column.metric(plain(name), f"{value:.1%}")
    st.caption(f"On {figures.images:,} images of the {plain(split)} split, none used for training.")
    _classes(figures.per_class)
    st.header("Confusions")
    st.altair_chart(confusion_chart(figures.confusion, spec.classes), width="stretch")
    _plots(folder, head)


def _classes(per_class: dict[str, dict[str, float]]) -> None:
    st.dataframe(
        pd.DataFrame(per_class).T.rename_axis("expression"),
        column_config={
            name: st.column_config.ProgressColumn(format="percent", max_value=1.0)
            for name in ("precision", "recall", "f1")
        },
    )


def _plots(folder: Path, head: str) -> None:
    """Show the plots that ``backend/evaluate.py`` wrote, where they exist."""
    titles = {
        f"reliability_test_{head}.png": "Confidence against accuracy",
        f"coverage_test_{head}.png": "Accuracy without the uncertain predictions",
        "robustness.png": "Accuracy on poor-quality images",
        f"mistakes_test_{head}.png": "Most confident mistakes",
    }
    for file, title in titles.items():
        path = folder / file
        st.header(plain(title))
        if path.is_file():
            st.image(path, width="stretch" if "robust" in file or "mistakes" in file else 520)
        else:
            st.caption(
                "No plot yet. On a machine with the dataset, run "
                "`python backend/evaluate.py --data images --robustness --out FOLDER`; FOLDER is "
                f"{plain(folder)}."
            )


def _zoo() -> None:
    if not ZOO_FILE.is_file():
        st.info("No comparison yet. Run `python backend/evaluate.py --zoo runs/zoo`.")
        return
    table = zoo_frame(json.loads(ZOO_FILE.read_text(encoding="utf-8")))
    st.altair_chart(zoo_chart(table), width="stretch")
    show_zoo_table(table)
    st.caption(
        "All were trained with short schedules on two processor cores. Those with a teacher also "
        "learned from another network's predictions."
    )


def _card(folder: Path) -> None:
    path = folder / "MODEL_CARD.md"
    if not path.is_file():
        st.info(f"{plain(folder)} has no model card. Run `backend/evaluate.py --card FILE`.")
        return
    text = path.read_text(encoding="utf-8")
    st.markdown(without_images(text))  # the plots are in the first tab


main()
