"""Pictures and clips over HTTP."""

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from backend.service.errors import RESPONSES, OverloadedError, ParameterError, error_info
from backend.service.state import Engine, State, state_of
from backend.service.uploads import Upload, body_of, read_uploads
from utils.errors import EmotionError, TooLargeError
from utils.faces import list_detectors
from utils.inference.video import analyze_video
from utils.media.video import VideoReader
from utils.media.video_summary import Person, VideoSummary
from utils.results import Failure, FrameResult, Outcome, Status, most_probable

router = APIRouter(responses=RESPONSES, tags=["predict"])

_IMAGES = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
_VIDEOS = ("video/mp4", "video/webm", "application/octet-stream")
# A batch may not keep the places of single requests for itself.
_AT_ONCE = 4
_CLIPS_WAITING = 2
Shared = Annotated[State, Depends(state_of)]


class PredictOptions(BaseModel):
    """How faces are looked for and told about; the same for every address."""

    detector: str | None = None
    top: int | None = None
    min_face: float = 0.0
    min_score: float = 0.0

    def apply(self, result: FrameResult) -> FrameResult:
        """Return a result without the faces and classes that are not wished for."""
        faces = tuple(
            face
            for face in result.faces
            if face.score >= self.min_score
            and max(face.box[2] - face.box[0], face.box[3] - face.box[1]) >= self.min_face
        )
        if len(faces) < len(result.faces):
            result = result.with_faces(faces)
        return most_probable(result, self.top)


class BatchAnswer(BaseModel):
    """A result, or the reason why there is none, for each picture in their order."""

    results: list[Outcome]


class VideoAnswer(BaseModel):
    """What a clip shows.

    Attributes:
        video: What the request called it.
        seconds: Time of its last frame.
        frames: Analysed frames.
        people: Who was seen when, and with which expressions.
        timeline: The analysed frames.
        problem: Why the clip broke off, if it did.
    """

    video: str
    seconds: float
    frames: int
    people: tuple[Person, ...]
    timeline: tuple[FrameResult, ...]
    problem: str | None = None


def predict_options(
    state: Shared,
    detector: Annotated[
        str | None,
        Query(description=f"{', '.join(list_detectors())}; none: the picture is one face"),
    ] = None,
    top: Annotated[int | None, Query(ge=1, description="name the likeliest emotions alone")] = None,
    min_face: Annotated[
        float, Query(ge=0, le=1e6, description="drop faces smaller than so many pixels")
    ] = 0,
    min_score: Annotated[
        float, Query(ge=0, le=1, description="drop faces that the detector scores lower")
    ] = 0,
) -> PredictOptions:
    """Return the query parameters that all addresses share.

    Raises:
        ParameterError: The detector is unknown, or has no weights on this server.
    """
    allowed = {"mtcnn", "haar", "none", state.model_settings.detector}
    if detector is not None and detector not in allowed:
        raise ParameterError(f"detector: choose one of {', '.join(sorted(allowed))}.", "detector")
    return PredictOptions(detector=detector, top=top, min_face=min_face, min_score=min_score)


Wished = Annotated[PredictOptions, Depends(predict_options)]


def json_of(answer: BaseModel) -> Response:
    """Return an answer's JSON; what is unknown is left out."""
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")


@router.post(
    "/predict",
    response_model=FrameResult,
    response_model_exclude_none=True,
    openapi_extra=body_of(*_IMAGES, field="image"),
)
async def predict(request: Request, state: Shared, wished: Wished) -> Response:
    """Find the faces of one picture and their apparent expressions."""
    engine, limits = state.ready, state.settings
    engine.pipeline.check_room()  # before the body is read
    (upload,) = await read_uploads(request, "image", limits.max_body_mb, limits.upload_seconds)
    detector = wished.detector or engine.images.detector.name
    result = wished.apply(await engine.pipeline.analyze(upload.data, upload.name, detector))
    state.metrics.count_faces(result)
    return json_of(result)


@router.post(
    "/predict_batch",
    response_model=BatchAnswer,
    response_model_exclude_none=True,
    openapi_extra=body_of(field="images", many=True),
)
async def predict_batch(request: Request, state: Shared, wished: Wished) -> Response:
    """Analyse many images at once; one that can't be used does not spoil the others."""
    engine, limits = state.ready, state.settings
    engine.pipeline.check_room()
    uploads = await read_uploads(
        request, "image", limits.max_batch_mb, limits.upload_seconds, limits.max_batch
    )
    outcomes: dict[int, Outcome] = {}
    waiting = iter(enumerate(uploads))

    async def take() -> None:
        for i, upload in waiting:
            outcomes[i] = await _outcome(state, engine, upload, wished)

    await asyncio.gather(*(take() for _ in range(_AT_ONCE)))
    return json_of(BatchAnswer(results=[outcomes[i] for i in range(len(uploads))]))


async def _outcome(state: State, engine: Engine, upload: Upload, wished: PredictOptions) -> Outcome:
    limit = state.settings.max_body_mb
    detector = wished.detector or engine.images.detector.name
    try:
        if len(upload.data) > limit * 1e6:
            raise TooLargeError(f"{upload.name} is larger than {limit:g} MB.")
        result = await engine.pipeline.analyze(upload.data, upload.name, detector, patient=True)
    except EmotionError as error:
        return Failure(image=upload.name, error=error_info(error))
    result = wished.apply(result)
    state.metrics.count_faces(result)
    return result


@router.post(
    "/predict_video",
    response_model=VideoAnswer,
    response_model_exclude_none=True,
    openapi_extra=body_of(*_VIDEOS, field="video"),
)
async def predict_video(
    request: Request,
    state: Shared,
    wished: Wished,
    every: Annotated[int, Query(ge=1, le=1000, description="analyse every N-th frame")] = 1,
) -> Response:
    """Follow the faces of a short clip; the answer has a timeline."""
    engine, limits = state.ready, state.settings
    if state.clips_waiting > _CLIPS_WAITING:
        raise OverloadedError("Other clips are waiting; try again in a minute.", 60)
    state.clips_waiting += 1
    try:
        (upload,) = await read_uploads(request, "video", limits.max_video_mb, limits.upload_seconds)
        cancelled = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(
            engine.clips, _analyze_clip, state, upload, wished, every, cancelled
        )
        while not (await asyncio.wait([work], timeout=1.0))[0]:
            if await request.is_disconnected():
                cancelled.set()
        return json_of(await work)
    finally:
        state.clips_waiting -= 1


def _analyze_clip(
    state: State, upload: Upload, wished: PredictOptions, every: int, cancelled: threading.Event
) -> VideoAnswer:
    engine = state.ready
    analyzer = engine.live.with_detector(wished.detector or engine.live.detector.name)
    summary, timeline = VideoSummary(), []
    with VideoReader(io.BytesIO(upload.data), upload.name) as video:
        _check_size(video, state)
        for result in _analysed(analyze_video(analyzer, video, every=every), cancelled):
            if (result.time or 0) > state.settings.max_video_seconds:
                raise TooLargeError(
                    f"{upload.name} is longer than {state.settings.max_video_seconds:g} seconds."
                )
            summary.add(result)
            timeline.append(wished.apply(result))
        return VideoAnswer(
            video=upload.name,
            seconds=summary.time,
            frames=summary.frames,
            people=summary.people,
            timeline=tuple(timeline),
            problem=video.problem,
        )


def _analysed(
    frames: Iterator[tuple[object, FrameResult]], cancelled: threading.Event
) -> Iterator[FrameResult]:
    for _, result in frames:
        if cancelled.is_set():
            return
        if result.status is not Status.SKIPPED:
            yield result


def _check_size(video: VideoReader, state: State) -> None:
    width, height = video.size
    limits = state.settings
    if width * height > limits.max_megapixels * 1e6:
        raise TooLargeError(
            f"{video.name} has frames of {width} x {height}, the limit is "
            f"{limits.max_megapixels:g} megapixels."
        )
    if video.duration and video.duration > limits.max_video_seconds + 1:
        raise TooLargeError(
            f"{video.name} lasts {video.duration:.0f} seconds, the limit is "
            f"{limits.max_video_seconds:g}."
        )
