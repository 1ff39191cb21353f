"""The batch page: many pictures at once, as a table."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend import charts, components
from frontend.resources import Engine, engine_or_stop
from utils.errors import EmotionError
from utils.inference.batch import AnalyzedFrame, analyze_sources
from utils.jobs import Job
from utils.media.parquet import as_parquet
from utils.media.rows import rows
from utils.media.sources import Kind, Source, find_sources, zip_sources
from utils.media.writers import as_csv
from utils.results import Failure, FrameResult, Outcome
from utils.settings import Settings

THUMBNAIL = 72
MAX_THUMBNAILS = 1000
KINDS = ["zip", "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic"]
SHOWN = ["face picture", "image", "emotion", "confidence", "status", "reason"]


@dataclass
class Batch:
    """A batch's outcomes in order, and a small picture of each face by (image, number)."""

    outcomes: list[Outcome] = field(default_factory=list)
    thumbnails: dict[tuple[str, int], str] = field(default_factory=dict)
    stopped: bool = False


def main() -> None:
    """Draw the page."""
    st.title("Batch")
    components.notice()
    engine, settings = engine_or_stop()
    job: Job[Batch] | None = st.session_state.get("batch_job")
    if job is None:
        _ask(engine, settings)
    elif job.running:
        components.job_progress(job)
    else:
        _finished(engine, job)


def _ask(engine: Engine, settings: Settings) -> None:
    with st.form("batch-form", border=False):
        files = st.file_uploader(
            "Pictures, or zip archives of them", KINDS, accept_multiple_files=True, key="batch"
        )
        folder = settings.batch_folder
        whole = folder is not None and st.checkbox(f"All pictures in {folder} on the server")
        pressed = st.form_submit_button("Analyse", type="primary")
    if not pressed:
        components.status_line(
            "Nothing chosen yet.", "Pictures are analysed here and forgotten; the table is yours."
        )
    elif not files and not whole:
        st.warning("Choose some pictures first.")
    else:
        names = [str(folder)] if whole else []
        st.session_state["batch_job"] = Job(_work(engine, list(files), names))
        st.rerun()


def _sources(files: list[UploadedFile], folders: list[str]) -> Iterator[Source]:
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
    engine: Engine, files: list[UploadedFile], folders: list[str]
) -> Callable[[Job[Batch]], Batch]:
    def work(job: Job[Batch]) -> Batch:
        batch = Batch()
        total = sum(1 for _ in _sources(files, folders))
        # One thread: another core is left for those who watch live video.
        for answer in analyze_sources(engine.images, _sources(files, folders), workers=0):
            batch.outcomes.append(answer.outcome)
            _add_thumbnails(batch, answer)
            done = len(batch.outcomes)
            job.report(done / total, f"{done} of {total} pictures")
            if job.cancelled:
                batch.stopped = done < total
                break
        return batch

    return work


def _add_thumbnails(batch: Batch, answer: AnalyzedFrame) -> None:
    if answer.image is None or not isinstance(answer.outcome, FrameResult):
        return
    for number, face in enumerate(answer.outcome.faces, 1):
        if len(batch.thumbnails) < MAX_THUMBNAILS:
            key = (str(answer.outcome.image), number)
            batch.thumbnails[key] = _thumbnail(answer.image, face.box)


def _thumbnail(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> str:
    x1, y1, x2, y2 = (int(v) for v in box)
    face = image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    small = cv2.resize(face, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]))[1]
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def _finished(engine: Engine, job: Job[Batch]) -> None:
    if st.button("Another batch", icon=":material/add:"):
        del st.session_state["batch_job"]
        st.rerun()
    if job.error or job.result is None:
        st.error(job.error or "The batch could not be analysed.")
        return
    batch = job.result
    failures = [o for o in batch.outcomes if isinstance(o, Failure)]
    table = _table(batch)
    faces = table["face"].notna()
    if batch.stopped:
        st.info("Stopped early; these are the results so far.")
    for column, (name, value) in zip(
        st.columns(4),
        {
            "Pictures": len(batch.outcomes),
            "Faces": int(faces.sum()),
            "Without a face": int((table["status"] == "no_face").sum()),
            "Failed": len(failures),
        }.items(),
        strict=True,
    ):
        column.metric(name, value)
    if failures:
        with st.expander(f"What failed ({len(failures)})", icon=":material/warning:"):
            st.table(
                pd.DataFrame([(f.image, f.error.message) for f in failures], columns=["", "why"])
            )
    if faces.any():
        left, right = st.columns([3, 2], gap="large")
        with right:
            answers = table.loc[faces, "emotion"].where(
                table.loc[faces, "status"] == "ok", "unclear"
            )
            shares = answers.value_counts(normalize=True).to_dict()
            st.altair_chart(charts.share_bars(shares), width="stretch")
        with left:
            shown = _filtered(table[faces], engine.images.classes)
            components.status_line(f"{len(shown)} of {int(faces.sum())} faces")
    else:
        components.status_line("No face in these pictures.")
        shown = table
    _draw_table(shown)
    with st.container(horizontal=True):
        classes = engine.images.classes
        csv = partial(as_csv, batch.outcomes, classes)
        parquet = partial(as_parquet, batch.outcomes, classes)
        st.download_button("CSV", csv, "faces.csv", "text/csv", on_click="ignore")
        st.download_button("Parquet", parquet, "faces.parquet", on_click="ignore")


def _table(batch: Batch) -> pd.DataFrame:
    records = [row for outcome in batch.outcomes for row in rows(outcome)]
    for row in records:
        row["face picture"] = batch.thumbnails.get((row["image"], row.get("face") or 0))
    columns = [*SHOWN, "face"]
    return pd.DataFrame(records).reindex(columns=columns).fillna({"reason": "", "emotion": ""})


def _filtered(table: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    wanted = st.pills("Expression", classes, selection_mode="multi", key="wanted")
    least = st.slider("Confidence at least", 0, 100, 0, format="%d %%", key="least")
    unsure = st.toggle("Uncertain and unreadable ones too", True, key="unsure")
    kept = table["confidence"] >= least / 100
    if wanted:
        kept &= table["emotion"].isin(wanted)
    if not unsure:
        kept &= table["status"] == "ok"
    return table[kept]


def _draw_table(table: pd.DataFrame) -> None:
    st.dataframe(
        table[SHOWN],
        hide_index=True,
        row_height=56,
        column_config={
            "face picture": st.column_config.ImageColumn("", width="small"),
            "image": "picture",
            "confidence": st.column_config.ProgressColumn(format="percent", max_value=1.0),
        },
    )


main()
