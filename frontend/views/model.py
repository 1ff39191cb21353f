"""The model page: which model answers, how good it is, and how it can be fooled."""

import json
from pathlib import Path
from typing import Any

import altair as alt
import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from frontend import components
from frontend.resources import Engine, engine_or_stop
from utils.errors import EmotionError
from utils.faces.base import Detections
from utils.media.images import load_image
from utils.model.spec import HeadRole, LabelSet, ModelSpec
from utils.paths import BUNDLED_ONNX

HERE = BUNDLED_ONNX.parent
SAMPLE = Path(__file__).parents[1] / "samples" / "astronaut.jpg"
LABEL_SETS: dict[str, str] = {
    LabelSet.FERPLUS: "FER+, majority of the votes",
    LabelSet.FOLDER: "the data set's own labels",
}
Picture = NDArray[np.uint8]


def main() -> None:
    """Draw the page."""
    st.title("Model")
    engine, settings = engine_or_stop()
    spec = engine.live.classifier.spec
    _summary(spec)
    accuracy, fool, zoo, card = st.tabs(
        ["How good it is", "Try to fool it", "Other architectures", "Model card"]
    )
    folder = (settings.model or BUNDLED_ONNX).parent
    with accuracy:
        _accuracy(spec, folder)
    with fool:
        _playground(engine)
    with zoo:
        _zoo()
    with card:
        _card(folder)


def _summary(spec: ModelSpec) -> None:
    head = spec.heads[0]
    size = spec.preprocessing.input_size
    st.markdown(
        f"**{spec.model}**, {len(spec.classes)} classes, sees each face with {size}x{size} pixels "
        f"in {spec.preprocessing.color}. It was trained to answer: {head.label_set}. Answers below "
        f"{head.threshold:.0%} are called uncertain. Code revision {spec.revision or 'unknown'}."
    )


def _accuracy(spec: ModelSpec, folder: Path) -> None:
    found = spec.metrics.get("test") or spec.metrics.get("validation")
    if not found:
        st.info("This model was not measured. `python backend/evaluate.py --model FILE` does it.")
        return
    split = "test" if "test" in spec.metrics else "validation"
    head = st.selectbox("Answer", list(found), format_func=lambda n: f"head “{n}”", key="head")
    labels = st.selectbox(
        "measured against",
        list(found[head]),
        format_func=lambda n: LABEL_SETS.get(n, n),
        index=list(found[head]).index(HeadRole.of(head).target_label_set(found[head])),
    )
    figures: dict[str, Any] = found[head][labels]
    shown = {
        "Right": figures["accuracy"],
        "Mean over classes": figures["balanced_accuracy"],
        "Most confident 80 %": figures["coverage_80_accuracy"],
        "Calibration error": figures["ece"],
    }
    for column, (name, value) in zip(st.columns(4), shown.items(), strict=True):
        column.metric(name, f"{value:.1%}")
    st.caption(f"On {figures['images']:,} pictures of the {split} split, never used in training.")
    table = pd.DataFrame(figures["per_class"]).T
    st.dataframe(
        table.rename_axis("expression"),
        column_config={
            name: st.column_config.ProgressColumn(format="percent", max_value=1.0)
            for name in ("precision", "recall", "f1")
        },
    )
    st.subheader("Which is taken for which")
    st.altair_chart(_confusion(figures["confusion"], spec.classes), width="stretch")
    _pictures(folder, head)


def _confusion(counts: list[list[int]], classes: tuple[str, ...]) -> alt.LayerChart:
    shares = np.array(counts) / np.maximum(np.array(counts).sum(1, keepdims=True), 1)
    table = pd.DataFrame(
        [
            (true, answer, counts[i][j], shares[i, j])
            for i, true in enumerate(classes)
            for j, answer in enumerate(classes)
        ],
        columns=["labelled", "answered", "count", "share"],
    )
    base = alt.Chart(table).encode(
        x=alt.X("answered:N", sort=list(classes)).axis(labelAngle=0, orient="top"),
        y=alt.Y("labelled:N", sort=list(classes)),
        tooltip=["labelled", "answered", "count", alt.Tooltip("share:Q", format=".0%")],
    )
    squares = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None)
    )
    numbers = base.mark_text(fontSize=12).encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#22282E")),
    )
    return alt.layer(squares, numbers).properties(height=340)


def _pictures(folder: Path, head: str) -> None:
    """Show the pictures that ``backend/evaluate.py`` drew, where they are."""
    titles = {
        f"reliability_test_{head}.png": "Is it as right as it is confident?",
        f"coverage_test_{head}.png": "What is gained by leaving uncertain answers out",
        "robustness.png": "What bad pictures cost",
        f"mistakes_test_{head}.png": "Its most confident mistakes",
    }
    for file, title in titles.items():
        path = folder / file
        st.subheader(title)
        if path.is_file():
            st.image(path, width="stretch" if "robust" in file or "mistakes" in file else 520)
        else:
            st.caption(
                "Not drawn yet: `python backend/evaluate.py --data images --robustness "
                f"--out {folder}` writes it where the data is."
            )


def _playground(engine: Engine) -> None:
    st.markdown(
        "Spoil a face and watch the answer. A model to be trusted grows unsure before it errs."
    )
    file = st.file_uploader("A face of yours (or the sample)", ["jpg", "jpeg", "png", "webp"])
    try:
        image = load_image(file.getvalue(), name=file.name) if file else load_image(SAMPLE)
        with engine.lock:
            found = engine.images.detect(image)
    except EmotionError as error:
        st.error(str(error))
        return
    if not len(found):
        components.status_line("No face in the picture.", "Choose another one.")
        return
    left, middle, right = st.columns([2, 2, 3], gap="large")
    with left:
        blur = st.slider("Blur", 0.0, 12.0, 0.0, 0.5, key="blur")
        light = st.slider("Light", 5, 200, 100, 5, format="%d %%", key="light")
        noise = st.slider("Noise", 0, 80, 0, 5, key="noise")
        turn = st.slider("Rotation", -90, 90, 0, 5, format="%d°", key="turn")
    scale = (
        float(found.boxes[0][2] - found.boxes[0][0]) / 88
    )  # so that the sliders mean the same for faces of every size
    spoilt = _spoil(image, found.boxes[0], blur * scale, light / 100, noise, turn)
    with engine.lock:
        one = Detections(found.boxes[:1], found.scores[:1])
        classified = engine.images.classify_faces(spoilt, one)
    (face,) = engine.images.results.faces(classified)
    with middle:
        st.image(
            engine.images.crops(spoilt, one.boxes)[0].repeat(5, 0).repeat(5, 1), width="stretch"
        )
    with right:
        components.face_bars([face])


def _spoil(
    image: Picture, box: NDArray[np.float32], blur: float, light: float, noise: int, turn: int
) -> Picture:
    center = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    matrix = cv2.getRotationMatrix2D(center, turn, 1.0)
    spoilt = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    if blur:
        spoilt = cv2.GaussianBlur(spoilt, (0, 0), blur)
    values = spoilt.astype(np.float32) * light
    values += np.random.default_rng(0).normal(0, noise, values.shape) if noise else 0.0
    return np.clip(values, 0, 255).astype(np.uint8)


def _zoo() -> None:
    path = HERE / "zoo.json"
    if not path.is_file():
        st.info("No comparison yet: `python backend/evaluate.py --zoo runs/zoo` makes it.")
        return
    rows = json.loads(path.read_text(encoding="utf-8"))
    table = pd.DataFrame([{"teacher": False} | row for row in rows])
    # Neighbours in accuracy have their names on different sides of their points.
    table = table.assign(
        millions=table["parameters"] / 1e6, right=table["accuracy"], above=table.index % 2 == 1
    )
    tooltip: list[str | alt.Tooltip] = [
        "name",
        alt.Tooltip("right", format=".1%"),
        alt.Tooltip("ms", format=".1f"),
        alt.Tooltip("millions", format=".2f"),
    ]
    base = alt.Chart(table).encode(
        x=alt.X("ms:Q", title="milliseconds a face"),
        y=alt.Y(
            "right:Q", title="right on FER2013's test labels", scale=alt.Scale(zero=False)
        ).axis(format="%"),
        tooltip=tooltip,
    )
    points = base.mark_circle(color="#2F6077").encode(
        size=alt.Size("millions:Q", title="million parameters").legend(orient="bottom")
    )
    names = base.encode(text="name")
    above = names.transform_filter("datum.above").mark_text(align="left", dx=9, dy=-8)
    below = names.transform_filter("!datum.above").mark_text(align="left", dx=9, dy=9)
    st.altair_chart(alt.layer(points, above, below).properties(height=380), width="stretch")
    headings = {
        "name": ("architecture", None),
        "millions": ("M parameters", "%.2f"),
        "epochs": ("epochs", "%d"),
        "teacher": ("teacher", None),
        "accuracy": ("FER2013", "percent"),
        "accuracy_twin_free": ("without twins", "percent"),
        "published": ("published", "%.1f%%"),
        "macro_f1": ("macro F1", "%.3f"),
        "ferplus_accuracy": ("FER+", "percent"),
        "ece": ("ECE", "percent"),
        "ms": ("ms a face", "%.1f"),
    }
    st.dataframe(
        table[list(headings)],
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(label, format=form) if form else label
            for name, (label, form) in headings.items()
        },
    )
    st.caption(
        "Trained with short schedules on two processor cores; those with a teacher learned from "
        "another network's answers too."
    )


def _card(folder: Path) -> None:
    path = folder / "MODEL_CARD.md"
    if not path.is_file():
        st.info(f"There is no card in {folder}: `backend/evaluate.py --card FILE` writes one.")
        return
    text = path.read_text(encoding="utf-8")
    # Pictures are in the other tab; Markdown here can't show files.
    st.markdown("\n".join(line for line in text.splitlines() if not line.startswith("![")))


main()
