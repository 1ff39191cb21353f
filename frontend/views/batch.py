"""The batch page: many pictures at once, as a table."""

from functools import partial

import pandas as pd
import streamlit as st

from frontend.batch.analysis import Batch, batch_work
from frontend.batch.picture import show_picture
from frontend.batch.table import batch_table, filtered, show_table
from frontend.components import notices
from frontend.components.progress import job_progress
from frontend.resources import Engine, engine_or_stop
from frontend.text import plain, plain_table
from utils.jobs import Job
from utils.media.tables.parquet import as_parquet
from utils.media.tables.writers import as_csv
from utils.results import Failure, Status
from utils.settings import Settings
from utils.text import counted

KINDS = ["zip", "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"]


def main() -> None:
    """Draw the page."""
    st.title("Batch")
    notices.notice()
    engine, settings = engine_or_stop()
    job: Job[Batch] | None = st.session_state.get("batch_job")
    if job is None:
        _ask(engine, settings)
    elif job.running:
        job_progress(job)
    else:
        _finished(engine, job)


def _ask(engine: Engine, settings: Settings) -> None:
    with st.form("batch-form", border=False):
        files = st.file_uploader(
            "Pictures or zip archives", KINDS, accept_multiple_files=True, key="batch"
        )
        folder = settings.batch_folder
        whole = folder is not None and st.checkbox(f"All pictures in {plain(folder)} on the server")
        pressed = st.form_submit_button("Analyse the pictures", type="primary")
    if not pressed:
        notices.status_line(
            "No pictures yet.", "This server analyses and discards them. Download the table after."
        )
    elif not files and not whole:
        st.warning("Choose some pictures first.")
    else:
        folders = [str(folder)] if whole else []
        st.session_state["batch_job"] = Job(batch_work(engine, list(files), folders))
        st.rerun()


def _finished(engine: Engine, job: Job[Batch]) -> None:
    if st.button("Another batch", icon=":material/add:"):
        del st.session_state["batch_job"]
        st.rerun()
    if job.error or job.result is None:
        st.error(plain(job.error or "The batch could not be analysed."))
        return
    batch = job.result
    if batch.stopped:
        st.info("Stopped early. These are the results so far.")
    table = batch_table(batch)
    _counts(batch, table)
    _results(batch, table, engine.images.classes)


def _counts(batch: Batch, table: pd.DataFrame) -> None:
    failures = [outcome for outcome in batch.outcomes if isinstance(outcome, Failure)]
    pictures, faces = len(batch.outcomes), int(table["face"].notna().sum())
    without = int((table["status"] == Status.NO_FACE.value).sum())
    counts = f"{counted(pictures, 'picture')}, {counted(faces, 'face')}"
    notices.status_line(counts, f"{without} without a face" if without else "")
    if failures:
        with st.expander(f"Failed pictures ({len(failures)})", icon=":material/warning:"):
            reasons = [(failure.image, failure.error.message) for failure in failures]
            st.table(plain_table(reasons, ["file", "reason"]))


def _results(batch: Batch, table: pd.DataFrame, classes: tuple[str, ...]) -> None:
    """Show the table beside its filters; on a phone it comes first."""
    faces = table[table["face"].notna()]
    if faces.empty:
        _table_and_picture(batch, table)
        _downloads(batch, classes, "The files hold all pictures.")
        return
    left, right = st.columns([3, 2], gap="large")
    with right:
        shown = filtered(faces, classes)
    with left:
        all_faces = counted(len(faces), "face")
        st.caption(f"{len(shown)} of {plain(all_faces)}. Select a row for its picture.")
        _table_and_picture(batch, shown)
        filters = "The filters don't apply to them." if len(shown) < len(faces) else ""
        everything = f"{counted(len(batch.outcomes), 'picture')}, {counted(len(faces), 'face')}"
        _downloads(batch, classes, f"The files hold everything: {everything}. {filters}")


def _table_and_picture(batch: Batch, table: pd.DataFrame) -> None:
    selected = show_table(table)
    if selected:
        show_picture(batch, *selected)


def _downloads(batch: Batch, classes: tuple[str, ...], content: str) -> None:
    csv = partial(as_csv, batch.outcomes, classes)
    parquet = partial(as_parquet, batch.outcomes, classes)
    with st.container(horizontal=True):
        st.download_button("Download CSV", csv, "faces.csv", "text/csv", on_click="ignore")
        st.download_button("Download Parquet", parquet, "faces.parquet", on_click="ignore")
    st.caption(plain(content))


main()
