"""The video page: who was seen when, with which expressions."""

import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import streamlit as st

from frontend import charts, components
from frontend.resources import Engine, engine_or_stop, open_store
from utils.errors import EmotionError
from utils.inference.annotated_copies import AnnotatedCopies
from utils.inference.batch import AnalyzedFrame
from utils.inference.video import analyze_video
from utils.jobs import Job
from utils.media.parquet import as_parquet
from utils.media.sources import VIDEO_SUFFIXES, Kind, Source
from utils.media.timeseries import emotion_shares, find_gaps, key_moments, results_table, track_ids
from utils.media.video import VideoFrame, VideoReader
from utils.media.writers import as_csv
from utils.results import Failure, FrameResult, Status
from utils.settings import get_settings

KINDS = sorted(suffix.lstrip(".") for suffix in VIDEO_SUFFIXES)
PREVIEW_EVERY = 15
MAX_PEOPLE = 8
Step = tuple[VideoFrame, FrameResult]


@dataclass
class Analysis:
    """A finished video.

    Attributes:
        name: The file's name.
        annotated: The copy with boxes.
        results: The analysed frames.
        problem: Why it broke off; None if it did not.
    """

    name: str
    annotated: Path
    results: list[FrameResult] = field(default_factory=list)
    problem: str | None = None


def main() -> None:
    """Draw the page."""
    st.title("Video")
    components.notice()
    engine, _ = engine_or_stop()
    job: Job[Analysis] | None = st.session_state.get("video_job")
    if job is None:
        _ask(engine)
    elif job.running:
        components.job_progress(job)
    else:
        _finished(engine, job)


def _ask(engine: Engine) -> None:
    with st.form("video-form", border=False):
        file = st.file_uploader("A video", type=KINDS, key="video")
        every = st.select_slider(
            "Analyse", [1, 2, 3, 5, 10], 1, format_func=lambda n: _every(n), key="every"
        )
        pressed = st.form_submit_button("Analyse the video", type="primary")
    if not pressed:
        components.status_line(
            "No video yet.", "It is worked on by this server and forgotten when you close the tab."
        )
    elif file is None:
        st.warning("Choose a video first.")
    else:
        folder = tempfile.TemporaryDirectory(prefix="emotion-video-")
        source = Path(folder.name) / f"source{Path(file.name).suffix}"
        source.write_bytes(file.getvalue())
        job = Job(_work(engine, file.name, source, every))
        weakref.finalize(job, folder.cleanup)
        st.session_state["video_job"] = job
        st.rerun()


def _every(number: int) -> str:
    return "every frame" if number == 1 else f"every {number}. frame"


def _work(engine: Engine, name: str, path: Path, every: int) -> Callable[[Job[Analysis]], Analysis]:
    """Return the work of a job: analyse a video and write its annotated copy."""

    def work(job: Job[Analysis]) -> Analysis:
        out = path.with_name("annotated.mp4")
        analysis = Analysis(name, out)
        source = Source(str(path), Kind.VIDEO, Path(name))
        with VideoReader(path, name) as video, AnnotatedCopies(out.parent, out) as copies:
            for picture, result in _in_turn(engine, analyze_video(engine.analyzer, video, every)):
                if job.cancelled:
                    analysis.problem = f"Stopped after {picture.time:.1f} seconds."
                    break
                failure = copies.add(AnalyzedFrame(source, result, picture.image, video.fps))
                analysis.problem = analysis.problem or _words(failure)
                if result.status is not Status.SKIPPED:
                    analysis.results.append(result)
                if picture.index % PREVIEW_EVERY == 0:
                    share = picture.time / video.duration if video.duration else 0.0
                    job.report(share, f"at {picture.time:.1f} s", preview=picture.image)
            analysis.problem = analysis.problem or video.problem
        return analysis

    return work


def _in_turn(engine: Engine, frames: Iterator[Step]) -> Iterator[Step]:
    """Yield the frames of a video, each analysed when it is this viewer's turn."""
    while True:
        with engine.gate:
            step = next(frames, None)
        if step is None:
            return
        yield step


def _words(failure: Failure | None) -> str | None:
    return failure.error.message if failure else None


def _finished(engine: Engine, job: Job[Analysis]) -> None:
    if st.button("Another video", icon=":material/add:"):
        del st.session_state["video_job"]
        st.session_state.pop("moment", None)
        st.rerun()
    if job.error or job.result is None:
        st.error(job.error or "The video could not be analysed.")
        return
    analysis, classes = job.result, engine.analyzer.classes
    if analysis.problem:
        st.warning(analysis.problem)
    if not analysis.results:
        components.status_line("No frame was analysed.")
        return
    table = results_table(analysis.results, classes)
    people = track_ids(table)[:MAX_PEOPLE]
    left, right = st.columns([3, 2], gap="large")
    with left:
        if analysis.annotated.is_file():
            start = st.session_state.get("moment", 0.0)
            st.video(analysis.annotated, start_time=int(start))
    with right:
        seconds = f"{analysis.results[-1].time or 0:.1f} seconds, {len(analysis.results)} frames"
        count = f"{len(people)} face{'' if len(people) == 1 else 's'}" if people else "No face"
        components.status_line(f"{count} in {analysis.name}", seconds)
        _downloads(analysis, classes)
        _keep(analysis, engine.analyzer.model_name, classes)
    st.html(charts.legend(classes))
    gaps = find_gaps(table)
    lines = st.segmented_control(
        "Drawn as", ["Areas", "Lines"], default="Areas", label_visibility="collapsed"
    )
    for track_id in people:
        st.subheader(f"Face {track_id}")
        chart = charts.face_timeline(table, track_id, classes, gaps, lines != "Lines")
        st.altair_chart(chart, width="stretch", key=f"line-{track_id}")
        shares, moments = st.columns([2, 3], gap="large")
        with shares:
            drawn = charts.share_bars(emotion_shares(table, track_id).to_dict())
            st.altair_chart(drawn, width="stretch", key=f"shares-{track_id}")
        with moments:
            _moments(key_moments(table, track_id), track_id)
    if len(gaps):
        st.caption("Grey: no face in view, or none that can be read.")


def _moments(found: list[tuple[float, str, str]], track_id: int) -> None:
    st.caption("Largest changes; press one to go there." if found else "No change of expression.")
    with st.container(horizontal=True):
        for time, old, new in found:
            words = f"{time:.1f} s: {old} → {new}"
            if st.button(words, key=f"moment-{track_id}-{time}"):
                st.session_state["moment"] = max(0.0, time - 1.0)
                st.rerun()


def _keep(analysis: Analysis, model: str, classes: tuple[str, ...]) -> None:
    if st.button("Keep in Sessions", icon=":material/save:", help="Times and probabilities alone."):
        try:
            store = open_store(get_settings())
            number = store.create(analysis.name, "video", model, classes)
            store.append(number, analysis.results)
        except EmotionError as error:
            st.error(str(error))
        else:
            st.success("It is in Sessions.")


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
