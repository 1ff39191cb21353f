"""The photo page: every face of a picture, and why the model says what it says."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from frontend import components
from frontend.resources import Engine, engine_or_stop
from utils.errors import EmotionError
from utils.media.drawing import annotate, draw_heat, encode_png
from utils.media.images import load_image
from utils.media.writers import as_csv
from utils.results import Face, FrameResult, to_document
from utils.settings import Settings

UPLOAD, CAMERA, SAMPLES = "Upload", "Camera", "Samples"
SAMPLE = Path(__file__).parents[1] / "samples" / "astronaut.jpg"
# HEIC is let in so that the answer can say what to do about it.
KINDS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"]
ADVICE = {
    "too small": "Come nearer, or take a picture with more pixels.",
    "too dark": "Put more light on the face, from the front.",
    "too blurred": "Hold the camera still, and mind the focus.",
    "turned away": "Both eyes should be seen.",
}
Picture = NDArray[np.uint8]


def main() -> None:
    """Draw the page."""
    st.title("Photo")
    components.notice()
    engine, settings = engine_or_stop()
    how = st.segmented_control(
        "Where from", [UPLOAD, CAMERA, SAMPLES], default=UPLOAD, label_visibility="collapsed"
    )
    given = _given(how or UPLOAD)
    if not given:
        components.status_line(
            "No picture yet.", "Drop some here, take one, or try a sample. They are not kept."
        )
        return
    answers = _answers(engine, given)
    if not answers:
        return
    name = next(iter(answers))
    if len(answers) > 1:
        name = st.pills("Pictures", list(answers), default=name, key="picture") or name
    _show(engine, settings, name, *answers[name])


def _given(how: str) -> dict[str, bytes | Picture]:
    """Return the pictures that the viewer chose, by name."""
    if how == CAMERA:
        shot = st.camera_input("Take a picture")
        return {"camera.jpg": shot.getvalue()} if shot else {}
    if how == SAMPLES:
        samples = _samples()
        name = st.pills("Samples", list(samples), default=next(iter(samples)), key="sample")
        return {name: samples[name]} if name else {}
    files = st.file_uploader("Pictures", type=KINDS, accept_multiple_files=True, key="photos")
    return {_unlike(file.name, i, files): file.getvalue() for i, file in enumerate(files)}


def _unlike(name: str, index: int, files: Sequence[object]) -> str:
    """Return a name that no earlier file has."""
    before = sum(getattr(file, "name", "") == name for file in files[:index])
    return f"{name} ({before + 1})" if before else name


@st.cache_data(show_spinner=False)
def _samples() -> dict[str, Picture]:
    photo = load_image(SAMPLE)
    half = photo[:300, 80:380]
    hidden = photo.copy()
    hidden[56:120, 170:280] = (40, 40, 44)
    return {
        "A portrait": photo,
        "Two faces": np.concatenate([half, half[:, ::-1]], axis=1),
        "Too dark": (photo * 0.12).astype(np.uint8),
        "Out of focus": np.asarray(cv2.GaussianBlur(photo, (0, 0), 6), np.uint8),
        "Upside-down mouth": _turned_mouth(photo),
        "Covered eyes": hidden,
    }


def _turned_mouth(photo: Picture) -> Picture:
    turned = photo.copy()
    turned[124:162, 196:252] = photo[124:162, 196:252][::-1]
    return turned


def _answers(
    engine: Engine, given: dict[str, bytes | Picture]
) -> dict[str, tuple[Picture, FrameResult]]:
    """Analyse the pictures; those that can't be used are named, the others are answered.

    The answers for the pictures on the page are kept as long as it shows them: every touch of a
    widget draws it anew.
    """
    known: dict[tuple[str, int], tuple[Picture, FrameResult] | str]
    known, kept, answers = st.session_state.get("photo_answers", {}), {}, {}
    for name, data in given.items():
        key = name, hash(data if isinstance(data, bytes) else data.tobytes())
        answer = kept[key] = known.get(key) or _answer(engine, name, data)
        if isinstance(answer, str):
            st.error(answer)
        else:
            answers[name] = answer
    st.session_state["photo_answers"] = kept
    return answers


def _answer(engine: Engine, name: str, data: bytes | Picture) -> tuple[Picture, FrameResult] | str:
    try:
        image = load_image(data, name=name)
        with engine.gate:
            return image, _numbered(engine.photos.analyze(image, name=name))
    except EmotionError as error:
        return str(error)


def _numbered(result: FrameResult) -> FrameResult:
    faces = tuple(
        face.model_copy(update={"track_id": number}) for number, face in enumerate(result.faces, 1)
    )
    return result.model_copy(update={"faces": faces})


def _show(
    engine: Engine, settings: Settings, name: str, image: Picture, result: FrameResult
) -> None:
    drawn = annotate(image, result)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.image(drawn, width="stretch")
        _downloads(engine, name, drawn, result)
    if not result.faces:
        with right:
            components.status_line(
                "No face in the picture.", "Faces need about 20 pixels, and to look this way."
            )
            components.empty_bars(engine.photos.classes)
        return
    with right:
        components.status_line(components.count_faces(result.faces))
        _faces(engine, settings, image, result.faces)


@st.fragment
def _faces(engine: Engine, settings: Settings, image: Picture, faces: Sequence[Face]) -> None:
    """Show the chosen face; another choice draws this part alone anew."""
    face = _chosen(faces)
    components.face_bars([face])
    _explain_answer(face, engine.photos.threshold)
    _explain_network(engine, image, face)


def _chosen(faces: Sequence[Face]) -> Face:
    if len(faces) == 1:
        return faces[0]
    number = st.pills(
        "Face", range(1, len(faces) + 1), default=1, key="face", label_visibility="collapsed"
    )
    return faces[(number or 1) - 1]


def _explain_answer(face: Face, threshold: float) -> None:
    """Say what the confidence means, and why there may be no answer."""
    best = sorted(face.probabilities.items(), key=lambda item: -item[1])[:3]
    st.markdown("**Likeliest:** " + ", ".join(f"{name} {share:.0%}" for name, share in best))
    if face.problem:
        st.warning(
            f"The expression can't be told: the face is {face.problem}. {ADVICE[face.problem]}"
        )
    elif face.uncertain:
        st.info(
            f"Uncertain: {face.confidence:.0%} is below {threshold:.0%}, under which the model's "
            "answers are not to be relied on. The limit was chosen on faces it never learned from."
        )
    else:
        st.caption(
            f"{face.confidence:.0%} is calibrated: of answers as confident as this one, about that "
            "share agreed with what most people saw, on pictures like those of the training data."
        )
    st.caption(f"The detector is {face.score:.0%} sure that this is a face.")


def _explain_network(engine: Engine, image: Picture, face: Face) -> None:
    if not st.toggle("Show a heat map (Grad-CAM)", key="heat"):
        return
    classes = list(face.probabilities)
    target = st.selectbox("for", classes, index=classes.index(face.emotion)) or face.emotion
    crop = engine.photos.crops(image, np.array([face.box], np.float32))
    try:
        with engine.gate:
            heat = engine.photos.classifier.activation_maps(crop, target)[0]
    except EmotionError as error:
        st.warning(str(error))
        return
    plain, laid_over = st.columns(2)
    plain.image(_enlarged(crop[0]), caption="What the network sees", width="stretch")
    laid_over.image(
        draw_heat(_enlarged(crop[0]), heat), caption=f"What speaks for {target}", width="stretch"
    )
    st.caption(
        "Bright places raised the probability of the chosen expression most. For this kind of "
        "network, Grad-CAM (Selvaraju et al., 2017) equals the class activation map (Zhou et al., "
        "2016), which is shown. It is coarse and shows where, not why: a bright mouth does not "
        "say what about the mouth."
    )


def _enlarged(crop: Picture) -> Picture:
    return np.asarray(cv2.resize(crop, (288, 288), interpolation=cv2.INTER_CUBIC), np.uint8)


def _downloads(engine: Engine, name: str, drawn: Picture, result: FrameResult) -> None:
    plain = result.model_copy(
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
        text = json.dumps(to_document(plain), indent=1)
        st.download_button("JSON", text, f"{stem}.json", "application/json", on_click="ignore")
        table = as_csv([plain], engine.photos.classes)
        st.download_button("CSV", table, f"{stem}.csv", "text/csv", on_click="ignore")


main()
