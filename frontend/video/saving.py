"""What can be kept of an analysed video: a session, the annotated copy, tables."""

from contextlib import suppress
from functools import partial
from pathlib import Path

import streamlit as st

from frontend.resources import open_store
from frontend.text import plain
from frontend.video.analysis import Analysis
from utils.errors import DatabaseError, EmotionError
from utils.media.tables.parquet import as_parquet
from utils.media.tables.writers import as_csv
from utils.model.spec import ModelSpec
from utils.settings import get_settings

_PROBLEM = "saving_problem"


def save_button(analysis: Analysis, spec: ModelSpec) -> None:
    """Draw the button that saves a video's results as a session, once."""
    if analysis.session_id is not None:
        st.success("Saved to Sessions.")
        return
    st.button(
        "Save to Sessions",
        icon=":material/save:",
        help="Saves times, boxes and probabilities, no pictures.",
        on_click=_save,
        args=(analysis, spec),
    )
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem))


def _save(analysis: Analysis, spec: ModelSpec) -> None:
    if analysis.session_id is not None:  # pressed twice, before the page showed it
        return
    try:
        store = open_store(get_settings())
        session_id = store.create(
            analysis.name,
            "video",
            model=spec.model,
            classes=spec.classes,
            model_revision=spec.revision,
        )
        try:
            store.append(session_id, analysis.results)
        except DatabaseError:
            with suppress(DatabaseError):
                store.delete([session_id])
            raise
    except EmotionError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        analysis.session_id = session_id


def downloads(analysis: Analysis, classes: tuple[str, ...]) -> None:
    """Draw the buttons that download the annotated copy and the tables."""
    stem = Path(analysis.name).stem
    results = analysis.results
    with st.container(horizontal=True):
        if analysis.annotated.is_file():
            video, name = analysis.annotated.read_bytes, f"{stem}-faces.mp4"
            st.download_button("Video", video, name, "video/mp4", on_click="ignore")
        csv, parquet = partial(as_csv, results, classes), partial(as_parquet, results, classes)
        st.download_button("CSV", csv, f"{stem}.csv", "text/csv", on_click="ignore")
        st.download_button("Parquet", parquet, f"{stem}.parquet", on_click="ignore")
