"""The one result type: what the analysis of a picture or frame says.

Terminal, Python API, service, app and exports all use these models. :func:`to_document` is their
JSON, ``utils/media/rows.py`` their table; docs/results.md describes both.
"""

from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from utils.errors import EmotionError

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Box = tuple[float, float, float, float]
Point = tuple[float, float]


class Status(str, Enum):
    """What became of an analysed frame; time lines keep a row for each."""

    OK = "ok"
    UNCERTAIN = "uncertain"
    LOW_QUALITY = "low_quality"
    NO_FACE = "no_face"
    CAMERA_OFF = "camera_off"
    SKIPPED = "skipped"
    FAILED = "failed"


class Face(BaseModel):
    """One face and its apparent expression.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels of the original frame, clipped to it.
        score: The detector's confidence in 0..1.
        emotion: The most probable class; in a stream the one shown so far, until another leads it
            clearly (see ``utils/inference/smoothing.py``).
        confidence: Its calibrated probability.
        uncertain: True if ``confidence`` is below the threshold chosen on validation data, or if
            there is a ``problem``.
        probabilities: Class name to calibrated probability, in class order, summing to 1; in a
            stream smoothed over time.
        raw: The same of this frame alone, in a stream; None for single pictures and for a face
            that was not read in this frame.
        landmarks: Five points (left eye, right eye, nose, left and right mouth corner, as seen in
            the picture) in pixels, or None where the detector gives none.
        track_id: Identity within one video or stream; None for single pictures.
        problem: Why the face can't be read (``too small``, ``too dark``, ``too blurred``,
            ``turned away``) and ``emotion`` means nothing; None if it can.
    """

    model_config = ConfigDict(frozen=True)

    box: Box
    score: Probability
    emotion: str
    confidence: Probability
    uncertain: bool
    probabilities: dict[str, Probability]
    raw: dict[str, Probability] | None = None
    landmarks: tuple[Point, ...] | None = None
    track_id: int | None = None
    problem: str | None = None


class FrameResult(BaseModel):
    """All faces of one picture or frame; an empty list of faces is a normal result.

    Attributes:
        model: Name of the model that answered.
        image: Where the picture came from (a path or a name); None for frames in memory.
        width: Width of the frame in pixels.
        height: Height of the frame in pixels.
        faces: The faces, largest first.
        status: ``ok``, ``uncertain`` (every face is), or why there is no answer.
        time: Media time in seconds for frames of a video or stream.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    image: str | None = None
    width: int
    height: int
    faces: tuple[Face, ...] = ()
    status: Status = Status.OK
    time: float | None = None


def status_of(faces: tuple[Face, ...]) -> Status:
    """Return ``no_face``, ``low_quality`` or ``uncertain`` if every face is, else ``ok``."""
    if not faces:
        return Status.NO_FACE
    if all(face.problem for face in faces):
        return Status.LOW_QUALITY
    return Status.UNCERTAIN if all(face.uncertain for face in faces) else Status.OK


class ErrorInfo(BaseModel):
    """What went wrong, the same in files, answers of the service and over the WebSocket.

    Attributes:
        code: One word for programs, such as ``bad_image``.
        message: A sentence for people: what is wrong and what to do.
        field: The parameter or file it is about; None if it is about the whole request.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    field: str | None = None


class Failure(BaseModel):
    """Stands in the place of a result for a picture or video that can't be used."""

    model_config = ConfigDict(frozen=True)

    image: str
    error: ErrorInfo

    @classmethod
    def of(cls, image: str, error: EmotionError) -> "Failure":
        """Return the failure of a picture or video because of an error."""
        return cls(image=image, error=ErrorInfo(code=error.code, message=str(error)))


Outcome = FrameResult | Failure


def to_document(outcome: Outcome) -> dict[str, Any]:
    """Return the JSON document of a result or failure; what is unknown is left out."""
    return outcome.model_dump(mode="json", exclude_none=True)


def most_probable(result: FrameResult, count: int | None) -> FrameResult:
    """Return a result whose faces name their ``count`` most probable classes alone.

    Args:
        result: The result.
        count: How many classes, at least 1; None leaves all.
    """
    if count is None:
        return result
    faces = tuple(
        face.model_copy(
            update={
                name: None if (values := getattr(face, name)) is None else _top(values, count)
                for name in ("probabilities", "raw")
            }
        )
        for face in result.faces
    )
    return result.model_copy(update={"faces": faces})


def _top(probabilities: dict[str, float], count: int) -> dict[str, float]:
    best = sorted(probabilities.items(), key=lambda item: -item[1])[:count]
    return dict(best)
