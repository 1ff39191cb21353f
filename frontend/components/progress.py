"""The progress of a background job."""

from typing import Any

import streamlit as st

from frontend.text import plain
from utils.jobs import Job

REFRESH_SECONDS = 0.5


def job_progress(job: Job[Any]) -> None:
    """Show how far a job is, with a button that stops it; rerun the page when it has ended."""
    st.fragment(_job_progress, run_every=REFRESH_SECONDS)(job)


def _job_progress(job: Job[Any]) -> None:
    if not job.running:
        st.rerun()
    progress = job.progress
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    st.progress(progress.done, plain(f"{progress.message or 'Starting…'}{left}"))
    if st.button("Stop", icon=":material/stop:", key="stop-job"):
        job.cancel()
    if progress.preview is not None:
        st.image(progress.preview, width=360, alt="Preview")
