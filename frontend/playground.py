"""The playground of the model page: distort a face and watch the prediction."""

import streamlit as st

from frontend.components import cards, notices
from frontend.resources import Engine
from frontend.sample_photos import SAMPLE_PHOTO
from frontend.text import plain
from utils.errors import EmotionError
from utils.faces.base import Detections
from utils.media.images import load_image
from utils.processing.distortions import Distortion, distort

KINDS = ["jpg", "jpeg", "png", "webp"]


def playground(engine: Engine) -> None:
    """Draw the photo's largest face, the sliders that distort it, and its bars."""
    st.markdown(
        "Distort a face and watch the prediction. A trustworthy model becomes uncertain before it "
        "makes mistakes."
    )
    file = st.file_uploader("A photo with a face (or use the sample)", KINDS)
    try:
        image = load_image(file.getvalue(), name=file.name) if file else load_image(SAMPLE_PHOTO)
        with engine.lock:
            found = engine.images.detect(image)
    except EmotionError as error:
        st.error(plain(error))
        return
    if not len(found):
        notices.status_line("No face in the picture.", "Choose another one.")
        return
    left, middle, right = st.columns([2, 2, 3], gap="large")
    with left:
        distortion = _sliders()
    distorted = distort(image, found.boxes[0], distortion)
    with engine.lock:
        one = Detections(found.boxes[:1], found.scores[:1])
        classified = engine.images.classify_faces(distorted, one)
    (face,) = engine.images.results.faces(classified)
    crop = engine.images.crops(distorted, one.boxes)[0]
    middle.image(
        crop.repeat(5, 0).repeat(5, 1), "What the model sees", "stretch", alt="The face, distorted"
    )
    with right:
        cards.face_bars([face])


def _sliders() -> Distortion:
    blur = st.slider("Blur", 0.0, 12.0, 0.0, 0.5, key="blur")
    light = st.slider("Light", 5, 200, 100, 5, format="%d%%", key="light")
    noise = st.slider("Noise", 0, 80, 0, 5, key="noise")
    rotation = st.slider("Rotation", -90, 90, 0, 5, format="%d°", key="rotation")
    return Distortion(blur=blur, light=light / 100, noise=noise, rotation=rotation)
