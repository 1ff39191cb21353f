"""Work in the background."""

import threading

import numpy as np
import pytest

from utils.errors import VideoError
from utils.jobs import Job


def test_a_job_tells_how_far_it_is() -> None:
    go, told = threading.Event(), threading.Event()

    def work(job: Job[int]) -> int:
        job.report(0.5, "half", preview=np.zeros((2, 2, 3), np.uint8))
        told.set()
        go.wait(10)
        job.report(2.0, "done")
        return 7

    job = Job(work)
    told.wait(10)
    assert job.running
    assert (job.progress.done, job.progress.message) == (0.5, "half")
    assert job.progress.seconds_left is not None
    go.set()
    job.wait(10)
    assert not job.running
    assert (job.result, job.error, job.progress.done) == (7, None, 1.0)
    assert job.progress.preview is not None


def test_a_job_can_be_cancelled() -> None:
    def work(job: Job[str]) -> str:
        while not job.cancelled:
            pass
        return "so far"

    job = Job(work)
    job.cancel()
    job.wait(10)
    assert job.result == "so far"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (VideoError("clip.mp4: broken"), "clip.mp4: broken"),
        (KeyError("x"), "could not be finished"),
    ],
)
def test_a_failure_is_a_sentence(error: Exception, words: str) -> None:
    def work(job: Job[int]) -> int:
        raise error

    job = Job(work)
    job.wait(10)
    assert words in str(job.error)
    assert job.result is None
