"""The video page: who was in view when, with which expressions."""

import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import streamlit as st

from frontend.components import notices
from frontend.components.person_charts import person_charts
from frontend.components.progress import job_progress
from frontend.resources import Engine, engine_or_stop, open_store
from frontend.text import plain
from utils.errors import EmotionError
from utils.inference.annotated_copies import AnnotatedCopies
from utils.inference.batch import AnalyzedFrame
from utils.inference.video import analyze_video
from utils.jobs import Job
from utils.media.sources import VIDEO_SUFFIXES, Kind, Source
from utils.media.tables.parquet import as_parquet
from utils.media.tables.writers import as_csv
from utils.media.timeseries import results_table, track_ids
from utils.media.video import VideoFrame, VideoReader
from utils.model.spec import ModelSpec
from utils.results import Failure, FrameResult, Status
from utils.settings import get_settings

KINDS = sorted(suffix.lstrip(".") for suffix in VIDEO_SUFFIXES)
PREVIEW_EVERY = 15
# A moment is played from a little before it.
LEAD_SECONDS = 1.0
EVERY = {
    1: "every frame",
    2: "every 2nd frame",
    3: "every 3rd frame",
    5: "every 5th frame",
    10: "every 10th frame",
}
Step = tuple[VideoFrame, FrameResult]


@dataclass
class Analysis:
    """A finished video.

    Attributes:
        name: The file's name.
        annotated: The annotated copy.
        results: The analysed frames.
        problem: Why the analysis ended early; None if it did not.
    """

    name: str
    annotated: Path
    results: list[FrameResult] = field(default_factory=list)
    problem: str | None = None


def main() -> None:
    """Draw the page."""
    st.title("Video")
    notices.notice()
    engine, _ = engine_or_stop()
    job: Job[Analysis] | None = st.session_state.get("video_job")
    if job is None:
        _ask(engine)
    elif job.running:
        job_progress(job)
    else:
        _finished(engine, job)


def _ask(engine: Engine) -> None:
    with st.form("video-form", border=False):
        file = st.file_uploader("Video file", type=KINDS, key="video")
        every = st.select_slider(
            "Analyse", list(EVERY), 1, format_func=lambda number: EVERY[number], key="every"
        )
        pressed = st.form_submit_button("Analyse the video", type="primary")
    if not pressed:
        notices.status_line(
            "No video yet.", "This server analyses it and discards it when you close the tab."
        )
    elif file is None:
        st.warning("Choose a video first.")
    else:
        folder = tempfile.TemporaryDirectory(prefix="emotion-video-")
        source = Path(folder.name) / f"source{Path(file.name).suffix}"
        source.write_bytes(file.getvalue())
        job = Job(_work(engine, file.name, path=source, every=every))
        weakref.finalize(job, folder.cleanup)
        st.session_state["video_job"] = job
        st.rerun()


def _work(
    engine: Engine, name: str, *, path: Path, every: int
) -> Callable[[Job[Analysis]], Analysis]:
    """Return the work of a job: analyse a video and write its annotated copy."""

    def work(job: Job[Analysis]) -> Analysis:
        out = path.with_name("annotated.mp4")
        analysis = Analysis(name, out)
        source = Source(str(path), Kind.VIDEO, Path(name))
        with VideoReader(path, name) as video, AnnotatedCopies(out.parent, out) as copies:
            frames = analyze_video(engine.live, video, every=every)
            for frame, result in _in_turn(engine, frames):
                if job.cancelled:
                    analysis.problem = f"Stopped after {frame.time:.1f} seconds."
                    break
                failures = copies.add(AnalyzedFrame(source, result, frame.image, video.fps))
                analysis.problem = analysis.problem or _message(failures)
                if result.status is not Status.SKIPPED:
                    analysis.results.append(result)
                if frame.index % PREVIEW_EVERY == 0:
                    share = frame.time / video.duration if video.duration else 0.0
                    job.report(share, f"at {frame.time:.1f} s", preview=frame.image)
            failures = copies.complete()
            analysis.problem = analysis.problem or video.problem or _message(failures)
        return analysis

    return work


def _in_turn(engine: Engine, frames: Iterator[Step]) -> Iterator[Step]:
    """Yield the frames of a video, each analysed when it is this viewer's turn."""
    while True:
        with engine.lock:
            step = next(frames, None)
        if step is None:
            return
        yield step


def _message(failures: list[Failure]) -> str | None:
    return failures[0].error.message if failures else None


def _finished(engine: Engine, job: Job[Analysis]) -> None:
    if st.button("Another video", icon=":material/add:"):
        del st.session_state["video_job"]
        st.session_state.pop("moment", None)
        st.rerun()
    if job.error or job.result is None:
        st.error(plain(job.error or "The video could not be analysed."))
        return
    if job.result.problem:
        st.warning(plain(job.result.problem))
    if job.result.results:
        _show(engine, job.result)
    else:
        notices.status_line("No frame was analysed.")


def _show(engine: Engine, analysis: Analysis) -> None:
    classes = engine.live.classes
    table = results_table(analysis.results, classes)
    people = len(track_ids(table))
    left, right = st.columns([3, 2], gap="large")
    with left:
        if analysis.annotated.is_file():
            start = st.session_state.get("moment", 0.0)
            st.video(analysis.annotated, start_time=int(start))
    with right:
        count = f"{people} face{'' if people == 1 else 's'}" if people else "No face"
        length = f"{analysis.results[-1].time or 0:.1f} seconds"
        notices.status_line(
            f"{count} in {analysis.name}", f"{length}, {len(analysis.results)} frames analysed"
        )
        _downloads(analysis, classes)
        _save(analysis, engine.live.classifier.spec)
    if people:
        style = st.segmented_control(
            "Timeline style", ["Areas", "Lines"], default="Areas", label_visibility="collapsed"
        )
        person_charts(table, classes, stacked=style != "Lines", on_moment=_play_from)


def _play_from(time: float) -> None:
    st.session_state["moment"] = max(0.0, time - LEAD_SECONDS)


def _save(analysis: Analysis, spec: ModelSpec) -> None:
    if st.button(
        "Save to Sessions",
        icon=":material/save:",
        help="Saves times, boxes and probabilities, no pictures.",
    ):
        try:
            store = open_store(get_settings())
            session_id = store.create(
                analysis.name,
                "video",
                model=spec.model,
                classes=spec.classes,
                model_revision=spec.revision,
            )
            store.append(session_id, analysis.results)
        except EmotionError as error:
            st.error(plain(error))
        else:
            st.success("Saved to Sessions.")


def _downloads(analysis: Analysis, classes: tuple[str, ...]) -> None:
    stem = Path(analysis.name).stem
    results = analysis.results
    with st.container(horizontal=True):
        if analysis.annotated.is_file():
            video, name = analysis.annotated.read_bytes, f"{stem}-faces.mp4"
            st.download_button("Video", video, name, "video/mp4", on_click="ignore")
        csv, parquet = partial(as_csv, results, classes), partial(as_parquet, results, classes)
        st.download_button("CSV", csv, f"{stem}.csv", "text/csv", on_click="ignore")
        st.download_button("Parquet", parquet, f"{stem}.parquet", on_click="ignore")


main()
