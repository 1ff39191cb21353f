"""The photo page: every face of a picture, and what the prediction rests on."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from frontend.components import cards, notices
from frontend.resources import Engine, engine_or_stop
from frontend.sample_photos import sample_photos
from frontend.text import plain
from utils.errors import EmotionError
from utils.media.drawing import annotate, draw_heat
from utils.media.image_writer import encode_png
from utils.media.images import Image, load_image
from utils.media.tables.writers import as_csv
from utils.results import Face, FaceProblem, FrameResult, to_document

UPLOAD, CAMERA, SAMPLES = "Upload", "Camera", "Samples"
# HEIC is accepted so that the error can say what to do about it.
KINDS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"]
ADVICE: dict[FaceProblem, str] = {
    FaceProblem.TOO_SMALL: "Come closer, or take a picture with a higher resolution.",
    FaceProblem.TOO_DARK: "Put more light on the face, from the front.",
    FaceProblem.TOO_BLURRED: "Hold the camera still and check the focus.",
    FaceProblem.TURNED_AWAY: "Face the camera, so that both eyes are visible.",
}


def main() -> None:
    """Draw the page."""
    st.title("Photo")
    notices.notice()
    engine, _ = engine_or_stop()
    origin = st.segmented_control(
        "Source", [UPLOAD, CAMERA, SAMPLES], default=UPLOAD, label_visibility="collapsed"
    )
    pictures = _pictures(origin or UPLOAD)
    if not pictures:
        notices.status_line(
            "No picture yet.", "Upload some, take one or try a sample. None are kept."
        )
        return
    results = _results(engine, pictures)
    if not results:
        return
    name = next(iter(results))
    if len(results) > 1:
        name = (
            st.pills("Pictures", list(results), default=name, format_func=plain, key="picture")
            or name
        )
    image, result = results[name]
    _show(engine, name=name, image=image, result=result)


def _pictures(origin: str) -> dict[str, bytes | Image]:
    """Return the pictures that the viewer chose, by name."""
    if origin == CAMERA:
        shot = st.camera_input("Take a photo")
        return {"camera.jpg": shot.getvalue()} if shot else {}
    if origin == SAMPLES:
        samples = sample_photos()
        name = st.pills(
            "Samples", list(samples), default=next(iter(samples)), format_func=plain, key="sample"
        )
        return {name: samples[name]} if name else {}
    files = st.file_uploader("Pictures", type=KINDS, accept_multiple_files=True, key="photos")
    names = _unique([file.name for file in files])
    return {name: file.getvalue() for name, file in zip(names, files, strict=True)}


def _unique(names: Sequence[str]) -> list[str]:
    """Number repeated names, as in "a.jpg" and "a.jpg (2)"."""
    counts = [names[: i + 1].count(name) for i, name in enumerate(names)]
    return [
        name if count == 1 else f"{name} ({count})"
        for name, count in zip(names, counts, strict=True)
    ]


def _results(
    engine: Engine, pictures: dict[str, bytes | Image]
) -> dict[str, tuple[Image, FrameResult]]:
    """Analyse the pictures; show an error for each that can't be used and return the others.

    Results are kept while the page shows their pictures, because every touch of a widget reruns it.
    """
    known: dict[tuple[str, int], tuple[Image, FrameResult] | str]
    known, kept, results = st.session_state.get("photo_results", {}), {}, {}
    for name, data in pictures.items():
        key = name, hash(data if isinstance(data, bytes) else data.tobytes())
        outcome = kept[key] = known.get(key) or _analyze(engine, name, data)
        if isinstance(outcome, str):
            st.error(plain(outcome))
        else:
            results[name] = outcome
    st.session_state["photo_results"] = kept
    return results


def _analyze(engine: Engine, name: str, data: bytes | Image) -> tuple[Image, FrameResult] | str:
    """Return the picture and its result, or why it can't be used."""
    try:
        image = load_image(data, name=name)
        with engine.lock:
            return image, _numbered(engine.images.analyze(image, name=name))
    except EmotionError as error:
        return str(error)


def _numbered(result: FrameResult) -> FrameResult:
    faces = tuple(
        face.model_copy(update={"track_id": number}) for number, face in enumerate(result.faces, 1)
    )
    return result.model_copy(update={"faces": faces})


def _show(engine: Engine, *, name: str, image: Image, result: FrameResult) -> None:
    drawn = annotate(image, result)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.image(drawn, width="stretch")
        _downloads(drawn, result, name=name, classes=engine.images.classes)
    with right:
        if result.faces:
            notices.status_line(cards.count_faces(result.faces))
            _faces(engine, image=image, faces=result.faces)
        else:
            notices.status_line(
                "No face in the picture.",
                "A face needs to be about 20 pixels wide and look towards the camera.",
            )
            cards.empty_bars(engine.images.classes)


@st.fragment
def _faces(engine: Engine, *, image: Image, faces: Sequence[Face]) -> None:
    """Show the chosen face; another choice reruns this part alone."""
    face = _chosen(faces)
    cards.face_bars([face])
    _explain_prediction(face, engine.images.threshold)
    _explain_network(engine, image, face)


def _chosen(faces: Sequence[Face]) -> Face:
    if len(faces) == 1:
        return faces[0]
    number = st.pills(
        "Face", range(1, len(faces) + 1), default=1, key="face", label_visibility="collapsed"
    )
    return faces[(number or 1) - 1]


def _explain_prediction(face: Face, threshold: float) -> None:
    """Say what the confidence means, and why there may be no prediction."""
    best = sorted(face.probabilities.items(), key=lambda item: -item[1])[:3]
    st.markdown(
        "**Most likely:** " + plain(", ".join(f"{name} {share:.0%}" for name, share in best))
    )
    if face.problem:
        advice = ADVICE[FaceProblem(face.problem)]
        st.warning(f"No prediction: the face is {plain(face.problem)}. {plain(advice)}")
    elif face.uncertain:
        st.info(
            f"Uncertain: the confidence of {face.confidence:.0%} is below {threshold:.0%}. Don't "
            "rely on such predictions. The threshold was chosen on faces that the model was not "
            "trained on."
        )
    else:
        st.caption(
            f"{face.confidence:.0%} is a calibrated probability: on pictures like the training "
            "data, about that share of equally confident predictions agreed with what most people "
            "saw."
        )
    st.caption(f"The face detector's confidence is {face.score:.0%}.")


def _explain_network(engine: Engine, image: Image, face: Face) -> None:
    if not st.toggle("Show a heat map (Grad-CAM)", key="heat"):
        return
    classes = list(face.probabilities)
    target = st.selectbox("for", classes, index=classes.index(face.emotion)) or face.emotion
    crop = engine.images.crops(image, np.array([face.box], np.float32))
    try:
        with engine.lock:
            heat = engine.images.classifier.activation_maps(crop, target)[0]
    except EmotionError as error:
        st.warning(plain(error))
        return
    original, overlaid = st.columns(2)
    original.image(_enlarged(crop[0]), caption="What the network sees", width="stretch")
    overlaid.image(
        draw_heat(_enlarged(crop[0]), heat),
        caption=f"What speaks for {plain(target)}",
        width="stretch",
    )
    st.caption(
        "Bright places raised the probability of the chosen expression most. For this kind of "
        "network, Grad-CAM (Selvaraju et al., 2017) equals the class activation map (Zhou et al., "
        "2016), which is shown. It is coarse and shows where, not why: a bright mouth does not "
        "say what about the mouth."
    )


def _enlarged(crop: Image) -> Image:
    return np.asarray(cv2.resize(crop, (288, 288), interpolation=cv2.INTER_CUBIC), np.uint8)


def _downloads(drawn: Image, result: FrameResult, *, name: str, classes: tuple[str, ...]) -> None:
    unnumbered = result.model_copy(
        update={"faces": tuple(f.model_copy(update={"track_id": None}) for f in result.faces)}
    )
    stem = Path(name).stem
    with st.container(horizontal=True):
        st.download_button(
            "Picture",
            lambda: encode_png(drawn),
            f"{stem}-faces.png",
            "image/png",
            on_click="ignore",
        )
        text = json.dumps(to_document(unnumbered), indent=1)
        st.download_button("JSON", text, f"{stem}.json", "application/json", on_click="ignore")
        table = as_csv([unnumbered], classes)
        st.download_button("CSV", table, f"{stem}.csv", "text/csv", on_click="ignore")


main()
