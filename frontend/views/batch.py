"""The batch page: many pictures at once, as a table."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.components import charts, notices
from frontend.components.progress import job_progress
from frontend.resources import Engine, engine_or_stop
from frontend.text import plain, plain_table, visible
from utils.errors import EmotionError
from utils.inference.batch import AnalyzedFrame, analyze_sources
from utils.jobs import Job
from utils.media.sources import Kind, Source, find_sources, zip_sources
from utils.media.tables.parquet import as_parquet
from utils.media.tables.rows import rows
from utils.media.tables.writers import as_csv
from utils.media.thumbnails import face_thumbnail
from utils.media.timeseries import emotion_shares
from utils.results import Failure, FrameResult, Outcome, Status
from utils.settings import Settings

MAX_THUMBNAILS = 1000
KINDS = ["zip", "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"]
SHOWN = ["thumbnail", "image", "emotion", "confidence", "status", "reason"]


@dataclass
class Batch:
    """The results of a batch.

    Attributes:
        outcomes: One for each picture, in order.
        thumbnails: Each face as a ``data:`` URL, by name of the picture and number of the face.
        stopped: Whether the user stopped the analysis before its end.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    thumbnails: dict[tuple[str, int], str] = field(default_factory=dict)
    stopped: bool = False


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
        pressed = st.form_submit_button("Analyse", type="primary")
    if not pressed:
        notices.status_line(
            "No pictures yet.", "This server analyses and discards them. Download the table after."
        )
    elif not files and not whole:
        st.warning("Choose some pictures first.")
    else:
        folders = [str(folder)] if whole else []
        st.session_state["batch_job"] = Job(_work(engine, list(files), folders))
        st.rerun()


def _sources(files: Sequence[UploadedFile], folders: Sequence[str]) -> Iterator[Source]:
    for file in files:
        if file.name.lower().endswith(".zip"):
            try:
                yield from zip_sources(BytesIO(file.getvalue()), file.name)
            except EmotionError as error:
                yield Source(file.name, Kind.UNUSABLE, Path(file.name), error)
        else:
            yield Source(file.name, Kind.IMAGE, Path(file.name), read=file.getvalue)
    for source in find_sources(folders):
        if source.kind is not Kind.VIDEO:
            yield source


def _work(
    engine: Engine, files: Sequence[UploadedFile], folders: Sequence[str]
) -> Callable[[Job[Batch]], Batch]:
    """Return the work of a job: analyse pictures."""

    def work(job: Job[Batch]) -> Batch:
        batch = Batch()
        total = sum(1 for _ in _sources(files, folders))
        # One thread: another core is left for those who watch live video.
        for frame in analyze_sources(engine.images, _sources(files, folders), workers=0):
            batch.outcomes.append(frame.outcome)
            _add_thumbnails(batch, frame)
            done = len(batch.outcomes)
            job.report(done / total, f"{done} of {total} pictures")
            if job.cancelled:
                batch.stopped = done < total
                break
        return batch

    return work


def _add_thumbnails(batch: Batch, frame: AnalyzedFrame) -> None:
    if frame.image is None or not isinstance(frame.outcome, FrameResult):
        return
    for number, face in enumerate(frame.outcome.faces, 1):
        if len(batch.thumbnails) < MAX_THUMBNAILS:
            jpeg = base64.b64encode(face_thumbnail(frame.image, face.box)).decode()
            key = (str(frame.outcome.image), number)
            batch.thumbnails[key] = f"data:image/jpeg;base64,{jpeg}"


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
    table = _table(batch)
    _counts(batch, table)
    shown = table
    if table["face"].notna().any():
        shown = _faces(table[table["face"].notna()], engine.images.classes)
    else:
        notices.status_line("No face in these pictures.")
    _show_table(shown)
    _downloads(batch, engine.images.classes)


def _table(batch: Batch) -> pd.DataFrame:
    records = [row for outcome in batch.outcomes for row in rows(outcome)]
    for row in records:
        row["thumbnail"] = batch.thumbnails.get((row["image"], row.get("face") or 0))
    columns = [*SHOWN, "face"]
    table = pd.DataFrame(records).reindex(columns=columns).fillna({"reason": "", "emotion": ""})
    return table.assign(image=table["image"].map(visible), reason=table["reason"].map(visible))


def _counts(batch: Batch, table: pd.DataFrame) -> None:
    failures = [outcome for outcome in batch.outcomes if isinstance(outcome, Failure)]
    counts = {
        "Pictures": len(batch.outcomes),
        "Faces": int(table["face"].notna().sum()),
        "Without a face": int((table["status"] == Status.NO_FACE.value).sum()),
        "Failed": len(failures),
    }
    for column, (name, value) in zip(st.columns(4), counts.items(), strict=True):
        column.metric(plain(name), f"{value:d}")
    if failures:
        with st.expander(f"Failed pictures ({len(failures)})", icon=":material/warning:"):
            reasons = [(failure.image, failure.error.message) for failure in failures]
            st.table(plain_table(reasons, ["file", "reason"]))


def _faces(faces: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Show filters and the shares of the expressions; return the faces that pass the filters."""
    left, right = st.columns([3, 2], gap="large")
    with right:
        # Pictures have no tracks: all faces are counted together.
        shares = emotion_shares(faces.assign(track_id=0), 0)
        st.altair_chart(charts.share_bars(shares), width="stretch")
    with left:
        shown = _filtered(faces, classes)
        notices.status_line(f"{len(shown)} of {len(faces)} faces")
    return shown


def _filtered(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    wanted = st.pills(
        "Expression", classes, selection_mode="multi", format_func=plain, key="wanted"
    )
    least = st.slider("Minimum confidence", 0, 100, 0, format="%d%%", key="least")
    uncertain = st.toggle("Include uncertain and unclassified faces", True, key="uncertain")
    kept = table["confidence"] >= least / 100
    if wanted:
        kept &= table["emotion"].isin(wanted)
    if not uncertain:
        kept &= table["status"] == Status.OK.value
    return table[kept]


def _show_table(table: pd.DataFrame) -> None:
    st.dataframe(
        table[SHOWN],
        hide_index=True,
        row_height=56,
        column_config={
            "thumbnail": st.column_config.ImageColumn("face", width="small"),
            "image": "picture",
            "confidence": st.column_config.ProgressColumn(format="percent", max_value=1.0),
        },
    )


def _downloads(batch: Batch, classes: tuple[str, ...]) -> None:
    csv = partial(as_csv, batch.outcomes, classes)
    parquet = partial(as_parquet, batch.outcomes, classes)
    with st.container(horizontal=True):
        st.download_button("CSV", csv, "faces.csv", "text/csv", on_click="ignore")
        st.download_button("Parquet", parquet, "faces.parquet", on_click="ignore")


main()
