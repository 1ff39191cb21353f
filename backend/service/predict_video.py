"""Short clips over HTTP."""

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from backend.service.errors import RESPONSES, OverloadedError
from backend.service.predict import Options, PredictOptions, Shared, json_response
from backend.service.state import State
from backend.service.uploads import Upload, read_uploads, request_body
from utils.errors import TooLargeError
from utils.inference.video import analyze_video
from utils.media.video import VideoReader
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
        (upload,) = await read_uploads(
            request, "video", max_mb=limits.max_video_mb, timeout=limits.upload_seconds
        )
        analysis = _ClipAnalysis(state, upload, options=options, every=every)
        task = asyncio.get_running_loop().run_in_executor(engine.clips, analysis.run)
        while not (await asyncio.wait([task], timeout=1.0))[0]:
            if await request.is_disconnected():
                analysis.cancel()
        return json_response(await task)
    finally:
        state.pending_clips -= 1


class _ClipAnalysis:
    """Analyses one clip in a thread; may be cancelled from another one."""

    def __init__(
        self, state: State, upload: Upload, *, options: PredictOptions, every: int
    ) -> None:
        self._limits, self._live_analyzer = state.settings, state.ready.live
        self._upload, self._options, self._every = upload, options, every
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def run(self) -> VideoAnswer:
        summary, timeline = VideoSummary(), []
        data, max_pixels = io.BytesIO(self._upload.data), int(self._limits.max_megapixels * 1e6)
        with VideoReader(data, self._upload.name, max_pixels=max_pixels) as video:
            self._check_length(video)
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
        max_seconds = self._limits.max_video_seconds
        detector = self._options.detector or self._live_analyzer.detector.name
        analyzer = self._live_analyzer.with_detector(detector)
        for _, result in analyze_video(analyzer, video, every=self._every):
            if self._cancelled.is_set():
                return
            if result.status is Status.SKIPPED:
                continue
            if (result.time or 0) > max_seconds:
                raise TooLargeError(f"{video.name} is longer than {max_seconds:g} seconds.")
            yield result

    def _check_length(self, video: VideoReader) -> None:
        max_seconds = self._limits.max_video_seconds
        if video.duration and video.duration > max_seconds + 1:
            raise TooLargeError(
                f"{video.name} lasts {video.duration:.0f} seconds; the limit is {max_seconds:g}."
            )
