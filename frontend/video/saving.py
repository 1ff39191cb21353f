"""What can be kept of an analysed video: a session, the annotated copy, tables."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import streamlit as st

from frontend.resources import open_store
from frontend.sessions.link import link_to
from frontend.text import plain
from frontend.video.analysis import Analysis
from utils.errors import DatabaseError, EmotionError
from utils.media.sessions import export
from utils.media.sessions.info import SessionDeletedError
from utils.media.tables.parquet import as_parquet
from utils.media.tables.writers import as_csv
from utils.media.timeseries import results_table
from utils.model.spec import ModelSpec
from utils.settings import get_settings

_PROBLEM = "saving_problem"


def save_button(analysis: Analysis, spec: ModelSpec) -> None:
    """Draw the button that saves a video's results as a session, once."""
    if analysis.session_id is not None:
        st.success(f"Saved to Sessions. {link_to(analysis.session_id, 'Open the session')}")
    else:
        _draw_button(analysis, spec)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem))


def _draw_button(analysis: Analysis, spec: ModelSpec) -> None:
    st.button(
        "Save to Sessions",
        icon=":material/save:",
        help="Saves times, boxes and probabilities, no pictures.",
        on_click=_save,
        args=(analysis, spec),
    )


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
            store.edit(session_id, names=analysis.names)
        except DatabaseError:
            with suppress(DatabaseError):
                store.delete([session_id])
            raise
    except EmotionError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        analysis.session_id = session_id


def rename(analysis: Analysis, track_id: int, name: str) -> None:
    """Call a face something, in a saved session too."""
    analysis.names[track_id] = name
    if analysis.session_id is None:
        return
    try:
        open_store(get_settings()).edit(analysis.session_id, names=analysis.names)
    except SessionDeletedError:
        analysis.session_id = None  # it can be saved again
    except EmotionError as error:
        st.session_state[_PROBLEM] = str(error)


def downloads(analysis: Analysis, classes: tuple[str, ...]) -> None:
    """Draw the buttons that download the annotated copy and the tables."""
    stem = Path(analysis.name).stem
    with st.container(horizontal=True):
        if analysis.annotated.is_file():
            video, name = analysis.annotated.read_bytes, f"{stem}-faces.mp4"
            st.download_button("Download video", video, name, "video/mp4", on_click="ignore")
        csv, parquet = tables(analysis, classes)
        st.download_button("Download CSV", csv, f"{stem}.csv", "text/csv", on_click="ignore")
        st.download_button("Download Parquet", parquet, f"{stem}.parquet", on_click="ignore")


def tables(
    analysis: Analysis, classes: tuple[str, ...]
) -> tuple[Callable[[], str], Callable[[], bytes]]:
    """Return what writes CSV and Parquet: the terminal's tables, or with a column of names."""
    results = analysis.results
    if not any(analysis.names.values()):
        return partial(as_csv, results, classes), partial(as_parquet, results, classes)
    rows = export.session_rows(results_table(results, classes), (), analysis.names)
    columns = export.session_columns(classes, markers=False)
    return partial(export.as_csv, rows, columns), partial(export.as_parquet, rows, columns)
