"""The photo page: every face of a picture, and what the prediction rests on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from frontend.components import cards, notices
from frontend.components.face_explanation import explain_network, explain_prediction
from frontend.components.face_picture import face_picture, picture_source
from frontend.resources import Engine, engine_or_stop
from frontend.sample_photos import sample_photos
from frontend.text import plain
from utils.errors import EmotionError
from utils.media.drawing import annotate
from utils.media.image_writer import encode_png
from utils.media.images import Image, load_image
from utils.media.tables.writers import as_csv
from utils.results import FrameResult, to_document
from utils.text import counted

UPLOAD, CAMERA, SAMPLES = "Upload", "Camera", "Samples"
# HEIC is accepted so that the error can say what to do about it.
KINDS = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"]


@dataclass(frozen=True)
class Photo:
    """An analysed picture.

    Attributes:
        image: RGB uint8 ``(H, W, 3)``.
        source: The picture as a ``data:`` URL, for the page.
        result: Its faces, row by row, each from left to right.
    """

    image: Image
    source: str
    result: FrameResult


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
    _show(engine, name, results[name])


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


def _results(engine: Engine, pictures: dict[str, bytes | Image]) -> dict[str, Photo]:
    """Analyse the pictures; show an error for each that can't be used and return the others.

    Results are kept while the page shows their pictures, because every touch of a widget reruns it.
    """
    known: dict[tuple[str, int], Photo | str]
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


def _analyze(engine: Engine, name: str, data: bytes | Image) -> Photo | str:
    """Return the picture and its result, or why it can't be used."""
    try:
        image = load_image(data, name=name)
        with engine.lock:
            result = engine.images.analyze(image, name=name)
    except EmotionError as error:
        return str(error)
    return Photo(image, picture_source(image), result.in_reading_order())


@st.fragment
def _show(engine: Engine, name: str, photo: Photo) -> None:
    """Show a picture and the chosen face; another choice reruns this part alone."""
    left, right = st.columns([3, 2], gap="large")
    # The key of a component takes no name of a file: it may not contain two underscores.
    faces, key = photo.result.faces, f"face-{hash(name)}"
    with right:
        number = _chosen(len(faces), key) if faces else 0
        if faces:
            face = faces[number - 1].model_copy(update={"track_id": number})
            cards.face_bars([face])
            explain_prediction(face, engine.images.threshold)
            explain_network(engine, photo.image, face)
        else:
            notices.status_line(
                "No face in the picture.",
                "A face needs to be about 20 pixels wide and look towards the camera.",
            )
            cards.empty_bars(engine.images.classes)

    def choose(number: int) -> None:
        st.session_state[key] = number

    with left:
        face_picture(
            photo.source, photo.result, chosen=number, key=f"picture-{key}", on_choose=choose
        )
        if len(faces) > 1:
            st.caption("Select a face in the picture.")
        _downloads(photo, name=name, classes=engine.images.classes)


def _chosen(count: int, key: str) -> int:
    """Say how many faces there are, and return the number of the chosen one."""
    notices.status_line(counted(count, "face"))
    if count == 1:
        return 1
    st.session_state.setdefault(key, 1)
    chosen = st.pills("Face", range(1, count + 1), key=key, label_visibility="collapsed", wrap=True)
    return chosen or 1


def _downloads(photo: Photo, *, name: str, classes: tuple[str, ...]) -> None:
    stem, result = Path(name).stem, photo.result
    drawn = result.numbered() if len(result.faces) > 1 else result
    with st.container(horizontal=True):
        st.download_button(
            "Download picture",
            lambda: encode_png(annotate(photo.image, drawn)),
            f"{stem}-faces.png",
            "image/png",
            on_click="ignore",
        )
        text = json.dumps(to_document(result), indent=1)
        st.download_button(
            "Download JSON", text, f"{stem}.json", "application/json", on_click="ignore"
        )
        table = as_csv([result], classes)
        st.download_button("Download CSV", table, f"{stem}.csv", "text/csv", on_click="ignore")


main()
