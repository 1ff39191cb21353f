"""Short clips over HTTP."""

import asyncio
import io
import threading
import time as clock
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from backend.service.errors import RESPONSES, OverloadedError
from backend.service.pipeline import image_memory
from backend.service.predict import Options, PredictOptions, Shared, json_response
from backend.service.state import State
from backend.service.uploads import BodyRules, Upload, receive_uploads, request_body
from utils.errors import TooLargeError
from utils.inference.video import analyze_video
from utils.media.video import VideoFrame, VideoReader
from utils.media.video_summary import Person, VideoSummary
from utils.results import FrameResult, Status

router = APIRouter(responses=RESPONSES, tags=["predict"])

_VIDEO_TYPES = ("video/mp4", "video/webm", "application/octet-stream")
_MAX_QUEUED_CLIPS = 2


class VideoAnswer(BaseModel):
    """The faces of a clip.

    Attributes:
        video: Name of the file in the request.
        seconds: Media time of its last frame.
        frames: Number of analysed frames.
        people: When each face was visible, and with which expressions.
        timeline: The result of each analysed frame.
        problem: Why decoding ended early; None if it did not.
    """

    video: str
    seconds: float
    frames: int
    people: tuple[Person, ...]
    timeline: tuple[FrameResult, ...]
    problem: str | None = None


@router.post(
    "/predict_video",
    response_model=VideoAnswer,
    response_model_exclude_none=True,
    openapi_extra=request_body(*_VIDEO_TYPES, field="video"),
)
async def predict_video(
    request: Request,
    state: Shared,
    *,
    options: Options,
    every: Annotated[int, Query(ge=1, le=1000, description="analyse every N-th frame")] = 1,
) -> Response:
    """Track the faces of a short clip; the response has a timeline."""
    engine, limits = state.ready, state.settings
    if state.pending_clips > _MAX_QUEUED_CLIPS:
        raise OverloadedError("The queue for clips is full; try again in a minute.", 60)
    state.pending_clips += 1
    try:
        rules = BodyRules("video", "video", limits.max_video_mb, limits.upload_seconds)
        async with receive_uploads(request, rules, state.bodies) as (upload,):
            analysis = _ClipAnalysis(state, upload, options=options, every=every)
            task = asyncio.get_running_loop().run_in_executor(engine.clips, analysis.run)
            try:
                while not (await asyncio.wait([task], timeout=1.0))[0]:
                    if await request.is_disconnected():
                        analysis.cancel()
            finally:
                analysis.cancel()  # also when the server ends
            return json_response(await task)
    finally:
        state.pending_clips -= 1


class _ClipAnalysis:
    """Analyses one clip in a thread; may be cancelled from another one."""

    def __init__(
        self, state: State, upload: Upload, *, options: PredictOptions, every: int
    ) -> None:
        self._limits, self._live_analyzer = state.settings, state.ready.live
        self._memory = state.images
        self._upload, self._options, self._every = upload, options, every
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def run(self) -> VideoAnswer:
        limits, data = self._limits, io.BytesIO(self._upload.data)
        with VideoReader(data, self._upload.name, max_pixels=limits.max_pixels) as video:
            self._check_length(video)
            size = 3 * video.size[0] * video.size[1]
            with image_memory(self._memory, size, timeout=limits.deadline_seconds):
                return self._analyze(video)

    def _analyze(self, video: VideoReader) -> VideoAnswer:
        summary, timeline = VideoSummary(), []
        for result in self._results(video):
            summary.add(result)
            timeline.append(self._options.apply(result))
        return VideoAnswer(
            video=self._upload.name,
            seconds=summary.time,
            frames=summary.frames,
            people=summary.people,
            timeline=tuple(timeline),
            problem=video.problem,
        )

    def _results(self, video: VideoReader) -> Iterator[FrameResult]:
        detector = self._options.detector or self._live_analyzer.detector.name
        analyzer = self._live_analyzer.with_detector(detector)
        start = clock.monotonic()
        for frame, result in analyze_video(analyzer, video, every=self._every):
            if self._cancelled.is_set():
                return
            self._check_progress(frame, name=video.name, seconds=clock.monotonic() - start)
            if result.status is not Status.SKIPPED:
                yield result

    def _check_length(self, video: VideoReader) -> None:
        """Refuse what is too long according to its header, which may be wrong."""
        limits, duration = self._limits, video.duration or 0.0
        if duration > limits.max_video_seconds + 1:
            raise TooLargeError(
                f"{video.name} lasts {duration:.0f} seconds; the limit is "
                f"{limits.max_video_seconds:g}."
            )
        frames, most = duration * (video.fps or 0.0), limits.max_video_frames
        if frames > most + 1:
            raise TooLargeError(f"{video.name} has some {frames:.0f} frames; the limit is {most}.")

    def _check_progress(self, frame: VideoFrame, *, name: str, seconds: float) -> None:
        limits = self._limits
        if frame.time > limits.max_video_seconds:
            raise TooLargeError(f"{name} is longer than {limits.max_video_seconds:g} seconds.")
        if frame.index >= limits.max_video_frames:
            raise TooLargeError(f"{name} has more than {limits.max_video_frames} frames.")
        if seconds > limits.video_analysis_seconds:
            raise TooLargeError(
                f"{name} takes more than {limits.video_analysis_seconds:g} seconds to analyse; "
                "send a shorter or smaller clip, or have fewer frames analysed with a larger every."
            )
