"""What the service reports about itself: page, health, model and metrics."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict

from backend.service.errors import RESPONSES
from backend.service.state import State, state_of
from utils.emotions import color_of
from utils.faces import list_detectors

router = APIRouter()
PAGE = Path(__file__).with_name("client.html")
NOTICE = (
    "Emotions are estimated here from faces: tell the people in view (EU AI Act, Article 50(3)). "
    "The prediction is the apparent expression, not what a person feels. Not for use at work or in "
    "schools (Article 5(1)(f)). Emotion recognition is a high-risk use (Annex III, point 1(c); "
    "obligations from 2 December 2027)."
)
_ERRORS = (401, 403, 421, 429, 503)
Shared = Annotated[State, Depends(state_of)]


class HeadInfo(BaseModel):
    """One head of the model and its calibration, fitted on validation data."""

    name: str
    label_set: str
    temperature: float
    threshold: float
    prior_correction: float


class ModelInfo(BaseModel):
    """The loaded model.

    Attributes:
        model: Name of the architecture.
        classes: Class names, in the order of all probabilities.
        colors: Colour of each class, ``#RRGGBB``.
        heads: The label sets it was trained for; predictions come from the first one.
        preprocessing: Input size, colour, mean, standard deviation and crop geometry.
        metrics: Evaluation after training, by split, head and label set.
        versions: Versions of the libraries it was trained with.
        revision: Revision of the code it was trained with.
        detector: The default face detector.
        detectors: All face detectors that the software supports.
        limits: The settings of the service.
        notice: What people whose faces are analysed must be told.
    """

    model_config = ConfigDict(protected_namespaces=())

    model: str
    classes: list[str]
    colors: dict[str, str]
    heads: list[HeadInfo]
    preprocessing: dict[str, Any]
    metrics: dict[str, Any]
    versions: dict[str, str]
    revision: str | None
    detector: str
    detectors: list[str]
    limits: dict[str, Any]
    notice: str


class Health(BaseModel):
    """The service responds."""

    status: str = "ok"


@router.get("/", include_in_schema=False)
async def page() -> HTMLResponse:
    """Return the page that shows the camera and a bar for each class."""
    return HTMLResponse(PAGE.read_text(encoding="utf-8"))


@router.get("/healthz", tags=["health"], responses={k: RESPONSES[k] for k in (403, 421)})
async def healthz() -> Health:
    """Return ``ok`` as soon as the process responds."""
    return Health()


@router.get("/readyz", tags=["health"], responses={k: RESPONSES[k] for k in (403, 421, 503)})
async def readyz(state: Shared) -> Health:
    """Return ``ok`` once the model is loaded; 503 until then."""
    _ = state.ready
    return Health()


@router.get("/model_info", tags=["model"], responses={k: RESPONSES[k] for k in _ERRORS})
async def model_info(state: Shared) -> ModelInfo:
    """Return what the model is, how accurate it is, and the limits of the service."""
    analyzer = state.ready.images
    spec = analyzer.classifier.spec
    heads = [
        HeadInfo.model_validate({name: getattr(head, name) for name in HeadInfo.model_fields})
        for head in spec.heads
    ]
    return ModelInfo(
        model=spec.model,
        classes=list(spec.classes),
        colors={name: color_of(name) for name in spec.classes},
        heads=heads,
        preprocessing=spec.preprocessing.to_dict(),
        metrics=spec.metrics,
        versions=spec.versions,
        revision=spec.revision,
        detector=analyzer.detector.name,
        detectors=list(list_detectors()),
        limits=state.settings.public(),
        notice=NOTICE,
    )


@router.get(
    "/metrics",
    tags=["health"],
    response_class=PlainTextResponse,
    responses={k: RESPONSES[k] for k in _ERRORS},
)
async def metrics(state: Shared) -> Response:
    """Return the counters in the text format of Prometheus."""
    return Response(generate_latest(state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
