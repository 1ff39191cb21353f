"""What the prediction for a face means, and what it rests on."""

import cv2
import numpy as np
import streamlit as st

from frontend.resources import Engine
from frontend.text import plain
from utils.errors import EmotionError
from utils.media.drawing import draw_heat
from utils.media.images import Image
from utils.results import Face, FaceProblem

ADVICE: dict[FaceProblem, str] = {
    FaceProblem.TOO_SMALL: "Come closer, or take a picture with a higher resolution.",
    FaceProblem.TOO_DARK: "Put more light on the face, from the front.",
    FaceProblem.TOO_BLURRED: "Hold the camera still and check the focus.",
    FaceProblem.TURNED_AWAY: "Face the camera, so that both eyes are visible.",
}


def explain_prediction(face: Face, threshold: float) -> None:
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


def explain_network(engine: Engine, image: Image, face: Face) -> None:
    """Show a heat map of a face in an image, if the viewer wants one."""
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
    enlarged, speaks = _enlarged(crop[0]), f"What speaks for {target}"
    original.image(enlarged, "What the network sees", "stretch", alt="The face, small and grey")
    overlaid.image(
        draw_heat(enlarged, heat), plain(speaks), "stretch", alt="The face with a heat map"
    )
    st.caption(
        "Bright places raised the probability of the chosen expression most. For this kind of "
        "network, Grad-CAM (Selvaraju et al., 2017) equals the class activation map (Zhou et al., "
        "2016), which is shown. It is coarse and shows where, not why: a bright mouth does not "
        "say what about the mouth."
    )


def _enlarged(crop: Image) -> Image:
    return np.asarray(cv2.resize(crop, (288, 288), interpolation=cv2.INTER_CUBIC), np.uint8)
