"""Images over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.service.errors import RESPONSES, ParameterError, error_info
from backend.service.state import State, state_of
from backend.service.uploads import BodyRules, Upload, receive_uploads, request_body
from utils.errors import EmotionError, TooLargeError
from utils.faces import BUNDLED, list_detectors
from utils.results import Failure, FrameResult, Outcome, most_probable

router = APIRouter(responses=RESPONSES, tags=["predict"])

_IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
# A batch must leave slots of the pipeline to other requests.
_BATCH_SLOTS = 4
Shared = Annotated[State, Depends(state_of)]


class PredictOptions(BaseModel):
    """Which faces and classes are returned; the same for every endpoint.

    Attributes:
        detector: Name of the face detector; None is the default one.
        top: Report only the most probable classes, this many; None reports all.
        min_face: Faces whose longer side is shorter are dropped, in pixels.
        min_score: Faces with a lower detection score are dropped, 0..1.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    detector: str | None = Field(
        None, description=f"{', '.join(list_detectors())}; none: the whole image is one face"
    )
    top: int | None = Field(
        None, ge=1, description="report only the most probable emotions, this many"
    )
    min_face: float = Field(
        0.0, ge=0, le=1e6, description="drop faces smaller than this, in pixels"
    )
    min_score: float = Field(0.0, ge=0, le=1, description="drop faces with a lower detection score")

    def apply(self, result: FrameResult) -> FrameResult:
        """Return a result with only the faces and classes that the options ask for."""
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
    """A result or an error for each image, in the order of the request."""

    results: list[Outcome]


def predict_options(state: Shared, options: Annotated[PredictOptions, Query()]) -> PredictOptions:
    """Return the query parameters that all endpoints share.

    Raises:
        ParameterError: The detector is unknown, or its weights are not on this server.
    """
    allowed = {*BUNDLED, state.model_settings.detector}
    if options.detector is not None and options.detector not in allowed:
        raise ParameterError(f"detector: choose one of {', '.join(sorted(allowed))}.", "detector")
    return options


Options = Annotated[PredictOptions, Depends(predict_options)]


def json_response(model: BaseModel) -> Response:
    """Return a model as JSON, without the fields that are None."""
    return Response(model.model_dump_json(exclude_none=True), media_type="application/json")


@router.post(
    "/predict",
    response_model=FrameResult,
    response_model_exclude_none=True,
    openapi_extra=request_body(*_IMAGE_TYPES, field="image"),
)
async def predict(request: Request, state: Shared, *, options: Options) -> Response:
    """Detect the faces of an image and predict their apparent expressions."""
    engine, limits = state.ready, state.settings
    engine.pipeline.check_queue()  # before the body is read
    rules = BodyRules("image", "image", limits.max_body_mb, limits.upload_seconds)
    detector = options.detector or engine.images.detector.name
    async with receive_uploads(request, rules, state.bodies) as (upload,):
        result = await engine.pipeline.analyze(upload.data, upload.name, detector=detector)
    result = options.apply(result)
    state.metrics.count_faces(result)
    return json_response(result)


@router.post(
    "/predict_batch",
    response_model=BatchAnswer,
    response_model_exclude_none=True,
    openapi_extra=request_body(field="images", many=True),
)
async def predict_batch(request: Request, state: Shared, *, options: Options) -> Response:
    """Analyse many images; one that can't be used does not affect the others."""
    limits = state.settings
    state.ready.pipeline.check_queue()
    rules = BodyRules(
        "image", "images", limits.max_batch_mb, limits.upload_seconds, limits.max_batch
    )
    outcomes: dict[int, Outcome] = {}
    async with receive_uploads(request, rules, state.bodies) as uploads:
        remaining = iter(enumerate(uploads))

        async def work() -> None:
            for i, upload in remaining:
                outcomes[i] = await _analyze_upload(state, upload, options=options)

        await asyncio.gather(*(work() for _ in range(_BATCH_SLOTS)))
    return json_response(BatchAnswer(results=[outcomes[i] for i in sorted(outcomes)]))


async def _analyze_upload(state: State, upload: Upload, *, options: PredictOptions) -> Outcome:
    engine, max_mb = state.ready, state.settings.max_body_mb
    detector = options.detector or engine.images.detector.name
    try:
        if len(upload.data) > max_mb * 1e6:
            raise TooLargeError(f"{upload.name} is larger than {max_mb:g} MB.")
        result = await engine.pipeline.analyze(
            upload.data, upload.name, detector=detector, admitted=True
        )
    except EmotionError as error:
        return Failure(image=upload.name, error=error_info(error))
    result = options.apply(result)
    state.metrics.count_faces(result)
    return result
