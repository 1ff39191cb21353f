"""The picture of a selected row, with its faces."""

import streamlit as st

from frontend.batch.analysis import Batch
from frontend.components import cards
from frontend.components.face_picture import face_picture, picture_source
from frontend.text import plain
from utils.errors import EmotionError
from utils.results import FrameResult


def show_picture(batch: Batch, index: int, face: int) -> None:
    """Show a picture and the bars of one of its faces; another can be chosen in it.

    Args:
        batch: The batch.
        index: Of the picture's outcome.
        face: Number of the face that is chosen at first; 0 for a picture without faces.
    """
    outcome = batch.outcomes[index]
    if not isinstance(outcome, FrameResult):
        return
    st.header(plain(batch.sources[index].name))
    try:
        source = picture_source(batch.image(index))
    except EmotionError as error:
        st.error(plain(error))
        return
    _faces(source, outcome, face, key=f"batch-face-{index}-{face}")


@st.fragment
def _faces(source: str, outcome: FrameResult, face: int, *, key: str) -> None:
    """Draw the picture; the choice of another face reruns this part alone."""
    number = st.session_state.setdefault(key, face)

    def choose(number: int) -> None:
        st.session_state[key] = number

    face_picture(source, outcome, chosen=number, key=f"picture-{key}", on_choose=choose)
    if number:
        cards.face_bars([outcome.faces[number - 1].model_copy(update={"track_id": number})])
