"""The video page: who was in view when, with which expressions."""

import tempfile
import weakref
from functools import partial
from pathlib import Path

import streamlit as st

from frontend.components import notices
from frontend.components.person_charts import Recording, recording_charts
from frontend.components.progress import job_progress
from frontend.resources import Engine, engine_or_stop
from frontend.text import plain
from frontend.video.analysis import Analysis, analysis_of
from frontend.video.saving import downloads, rename, save_button
from utils.jobs import Job
from utils.media.figures.timecode import timecode
from utils.media.sources import VIDEO_SUFFIXES
from utils.media.timeseries import results_table, track_ids
from utils.text import counted

KINDS = sorted(suffix.lstrip(".") for suffix in VIDEO_SUFFIXES)
PLAYER = "player"
EVERY = {
    1: "every frame",
    2: "every 2nd frame",
    3: "every 3rd frame",
    5: "every 5th frame",
    10: "every 10th frame",
}


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
        job = Job(analysis_of(engine, file.name, path=source, every=every))
        weakref.finalize(job, folder.cleanup)
        st.session_state["video_job"] = job
        st.rerun()


def _finished(engine: Engine, job: Job[Analysis]) -> None:
    if st.button("Another video", icon=":material/add:"):
        del st.session_state["video_job"]
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
    playable = analysis.annotated.is_file()
    if playable:
        with left, st.container(key=PLAYER):
            st.video(analysis.annotated, alt=f"{analysis.name} with boxes and labels")
    with right:
        count = counted(people, "face") if people else "No face"
        length = timecode(analysis.results[-1].time or 0.0)
        notices.status_line(
            f"{count} in {analysis.name}",
            f"{length}, {EVERY[analysis.every]}: {len(analysis.results)} frames analysed",
        )
        downloads(analysis, classes)
        save_button(analysis, engine.live.classifier.spec)
    if not people:
        return
    st.header("Over time")
    style = st.segmented_control(
        "Timeline style", ["Areas", "Lines"], default="Areas", label_visibility="collapsed"
    )
    if playable:
        st.caption("Press on a timeline to show the video there, or on a change to play it.")
    recording = Recording(
        f"video-{id(analysis)}",
        table,
        classes,
        names=analysis.names,
        portraits=analysis.portraits,
        player=f".st-key-{PLAYER} video" if playable else None,
    )
    recording_charts(recording, stacked=style != "Lines", on_name=partial(rename, analysis))


main()
